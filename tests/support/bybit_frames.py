"""Frames as Bybit's v5 documentation shows them, for tests of the dialects.

Values are the documentation's own ("Connect", "Orderbook", "Trade", "Kline", "Order", "Execution", "Position",
"Wallet"); fields that no decoder looks at are kept, because a decoder must pass over them. Where the documentation
elides levels of a book, only the best ones are written down, under the topic of level 1.
"""

# ------------------------------------------------------------------------------------------------------ public pushes
BOOK_SNAPSHOT = (
    b'{"topic":"orderbook.1.BTCUSDT","ts":1672304484978,"type":"snapshot","data":{"s":"BTCUSDT",'
    b'"b":[["16493.50","0.006"]],"a":[["16611.00","0.029"]],"u":18521288,"seq":7961638724},"cts":1672304484976}'
)
TRADES = (
    b'{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,"s":"BTCUSDT",'
    b'"S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false,'
    b'"seq":1783284617}]}'
)
OPEN_BAR = (
    b'{"topic":"kline.5.BTCUSDT","data":[{"start":1672324800000,"end":1672325099999,"interval":"5","open":"16649.5",'
    b'"close":"16677","high":"16677","low":"16608","volume":"2.081","turnover":"34666.4005","confirm":false,'
    b'"timestamp":1672324988882}],"ts":1672324988882,"type":"snapshot"}'
)
CLOSED_BAR = OPEN_BAR.replace(b'"confirm":false', b'"confirm":true')

# -------------------------------------------------------------------------------------------------------------- answers
AUTH_ACCEPTED = b'{"success":true,"ret_msg":"","op":"auth","conn_id":"cejreaspqfh3sjdnldmg-p"}'
AUTH_REFUSED = b'{"success":false,"ret_msg":"Params Error","op":"auth","conn_id":"cejreaspqfh3sjdnldmg-p"}'
PONG_SPOT = b'{"success":true,"ret_msg":"pong","conn_id":"0970e817-426e-429a-a679-ff7f55e0b16a","op":"ping"}'
PONG_LINEAR = (
    b'{"success":true,"ret_msg":"pong","conn_id":"465772b1-7630-4fdc-a492-e003e6f0f260","req_id":"","op":"ping"}'
)
PONG_PRIVATE = b'{"req_id":"test","op":"pong","args":["1675418560633"],"conn_id":"cfcb4ocsvfriu23r3er0-1b"}'
SUBSCRIBED_PRIVATE = b'{"success":true,"ret_msg":"","op":"subscribe","conn_id":"cejreassvfrsfvb9v1a0-2m"}'
SUBSCRIBED_SPOT = (
    b'{"success":true,"ret_msg":"subscribe","conn_id":"2324d924-aa4d-45b0-a858-7b8be29ab52b","req_id":"10001",'
    b'"op":"subscribe"}'
)
SUBSCRIBED_LINEAR = (
    b'{"success":true,"ret_msg":"","conn_id":"3cd84cb1-4d06-4a05-930a-2efe5fc70f0f","req_id":"","op":"subscribe"}'
)

# ----------------------------------------------------------------------------------------------------- private pushes
EXECUTION = (
    b'{"topic":"execution","id":"386825804_BTCUSDT_140612148849382","creationTime":1746270400355,"data":[{'
    b'"category":"linear","symbol":"BTCUSDT","closedSize":"0.5","execFee":"26.3725275",'
    b'"execId":"0ab1bdf7-4219-438b-b30a-32ec863018f7","execPrice":"95900.1","execQty":"0.5","execType":"Trade",'
    b'"execValue":"47950.05","feeRate":"0.00055","tradeIv":"","markIv":"","blockTradeId":"","markPrice":"95901.48",'
    b'"indexPrice":"","underlyingPrice":"","leavesQty":"0","orderId":"9aac161b-8ed6-450d-9cab-c5cc67c21784",'
    b'"orderLinkId":"","orderPrice":"94942.5","orderQty":"0.5","orderType":"Market","stopOrderType":"UNKNOWN",'
    b'"side":"Sell","execTime":"1746270400353","isLeverage":"0","isMaker":false,"seq":140612148849382,'
    b'"marketUnit":"","execPnl":"0.05","createType":"CreateByUser","extraFees":[{"feeCoin":"USDT","feeType":"GST",'
    b'"subFeeType":"IND_GST","feeRate":"0.0000675","fee":"0.006403779"}],"feeCurrency":"USDT"}]}'
)
ORDER = (
    b'{"id":"5923240c6880ab-c59f-420b-9adb-3639adc9dd90","topic":"order","creationTime":1672364262474,"data":[{'
    b'"symbol":"ETH-30DEC22-1400-C","orderId":"5cf98598-39a7-459e-97bf-76ca765ee020","side":"Sell",'
    b'"orderType":"Market","cancelType":"UNKNOWN","price":"72.5","qty":"1","orderIv":"","timeInForce":"IOC",'
    b'"orderStatus":"Filled","orderLinkId":"","lastPriceOnCreated":"","reduceOnly":false,"leavesQty":"",'
    b'"leavesValue":"","cumExecQty":"1","cumExecValue":"75","avgPrice":"75","blockTradeId":"","positionIdx":0,'
    b'"cumExecFee":"0.358635","closedPnl":"0","createdTime":"1672364262444","updatedTime":"1672364262457",'
    b'"rejectReason":"EC_NoError","stopOrderType":"","tpslMode":"","triggerPrice":"","takeProfit":"","stopLoss":"",'
    b'"tpTriggerBy":"","slTriggerBy":"","tpLimitPrice":"","slLimitPrice":"","triggerDirection":0,"triggerBy":"",'
    b'"closeOnTrigger":false,"category":"option","placeType":"price","smpType":"None","smpGroup":0,"smpOrderId":"",'
    b'"feeCurrency":"","cumFeeDetail":{"MNT":"0.00242968"},"rpiTakerAccess":false,"rpiMatchedQty":"0"}]}'
)
POSITION = (
    b'{"id":"1003076014fb7eedb-c7e6-45d6-a8c1-270f0169171a","topic":"position","creationTime":1697682317044,"data":[{'
    b'"positionIdx":2,"tradeMode":0,"riskId":1,"riskLimitValue":"2000000","symbol":"BTCUSDT","side":"","size":"0",'
    b'"entryPrice":"0","leverage":"10","breakEvenPrice":"93556.73034991","positionValue":"0","positionBalance":"0",'
    b'"markPrice":"28184.5","positionIM":"0","positionIMByMp":"0","positionMM":"0","positionMMByMp":"0",'
    b'"takeProfit":"0","stopLoss":"0","trailingStop":"0","unrealisedPnl":"0","curRealisedPnl":"1.26",'
    b'"cumRealisedPnl":"-25.06579337","sessionAvgPrice":"0","createdTime":"1694402496913",'
    b'"updatedTime":"1697682317038","tpslMode":"Full","liqPrice":"0","bustPrice":"","category":"linear",'
    b'"positionStatus":"Normal","adlRankIndicator":0,"autoAddMargin":0,"leverageSysUpdatedTime":"",'
    b'"mmrSysUpdatedTime":"","seq":8327597863,"isReduceOnly":false}]}'
)
WALLET = (
    b'{"id":"592324d2bce751-ad38-48eb-8f42-4671d1fb4d4e","topic":"wallet","creationTime":1700034722104,"data":[{'
    b'"accountIMRate":"0","accountIMRateByMp":"0","accountMMRate":"0","accountMMRateByMp":"0",'
    b'"totalEquity":"10262.91335023","totalWalletBalance":"9684.46297164","totalMarginBalance":"9684.46297164",'
    b'"totalAvailableBalance":"9556.6056555","totalPerpUPL":"0","totalInitialMargin":"0",'
    b'"totalInitialMarginByMp":"0","totalMaintenanceMargin":"0","totalMaintenanceMarginByMp":"0","coin":[{'
    b'"coin":"BTC","equity":"0.00102964","usdValue":"36.70759517","walletBalance":"0.00102964",'
    b'"availableToWithdraw":"0.00102964","availableToBorrow":"","borrowAmount":"0","accruedInterest":"0",'
    b'"totalOrderIM":"","totalPositionIM":"","totalPositionMM":"","unrealisedPnl":"0",'
    b'"cumRealisedPnl":"-0.00000973","bonus":"0","collateralSwitch":true,"marginCollateral":true,"locked":"0",'
    b'"spotHedgingQty":"0.01592413","spotBorrow":"0"}],"accountLTV":"0","accountType":"UNIFIED"}]}'
)
# ---------------------------------------------------------------------------------------- refusals that traders report
UNKNOWN_TOPIC = (
    b'{"success":false,"ret_msg":"error:handler not found,topic:publicTrade.NAS100USDT","conn_id":"x","req_id":"7",'
    b'"op":"subscribe"}'
)
ALREADY_SUBSCRIBED = (
    b'{"success":false,"ret_msg":"error:already subscribed,topic:kline.1.BTCUSDT","conn_id":"x","req_id":"7",'
    b'"op":"subscribe"}'
)
TOO_MANY_ARGUMENTS = b'{"success":false,"ret_msg":"args size >10","conn_id":"x","req_id":"","op":"subscribe"}'

PUBLIC = (BOOK_SNAPSHOT, TRADES, OPEN_BAR, CLOSED_BAR)
PRIVATE = (EXECUTION, ORDER, POSITION, WALLET)
ANSWERS = (
    AUTH_ACCEPTED,
    AUTH_REFUSED,
    PONG_SPOT,
    PONG_LINEAR,
    PONG_PRIVATE,
    SUBSCRIBED_PRIVATE,
    SUBSCRIBED_SPOT,
    SUBSCRIBED_LINEAR,
    UNKNOWN_TOPIC,
    ALREADY_SUBSCRIBED,
    TOO_MANY_ARGUMENTS,
)
