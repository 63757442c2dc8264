"""Frames of Binance USD-M's combined streams: recorded ones, and `aggTrade` in the form of the documentation."""

BOOK_TICKER = (
    b'{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":2710246762461,"s":"BTCUSDT","b":"28145.10",'
    b'"B":"3.868","a":"28145.20","A":"6.887","T":1680652700430,"E":1680652700435}}'
)
TRADE = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1680652700455,"T":1680652700452,"s":"BTCUSDT",'
    b'"t":3535186032,"p":"28145.10","q":"0.002","X":"MARKET","m":true}}'
)
AGGREGATE = (
    b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1680652700455,"a":1523,"s":"BTCUSDT","p":"28145.10",'
    b'"q":"0.050","f":3535186032,"l":3535186035,"T":1680652700452,"m":false}}'
)
OPEN_BAR = (
    b'{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1626992741424,"s":"CTKUSDT","k":{"t":1626992700000,'
    b'"T":1626992759999,"s":"CTKUSDT","i":"1m","f":23961275,"L":23961322,"o":"1.01000","c":"1.01100","h":"1.01100",'
    b'"l":"1.01000","v":"3917","n":48,"x":false,"q":"3957.89900","V":"1729","Q":"1748.01900","B":"0"}}}'
)
CLOSED_BAR = OPEN_BAR.replace(b'"x":false', b'"x":true')

ACCEPTED = b'{"result":null,"id":1}'
REFUSED = b'{"error":{"code":2,"msg":"Invalid request: no streams"},"id":1}'
REFUSED_WITHOUT_ID = b'{"code":2,"msg":"Invalid request: no streams"}'

PUSHES = (BOOK_TICKER, TRADE, AGGREGATE, OPEN_BAR, CLOSED_BAR)
ANSWERS = (ACCEPTED, REFUSED, REFUSED_WITHOUT_ID)
