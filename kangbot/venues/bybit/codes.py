"""What each of Bybit's codes proves: the one table, read by `errors.classify`.

Sources: [D] https://bybit-exchange.github.io/docs/v5/error, [R] …/docs/v5/rate-limit, [C] the answers that ccxt quotes
beside its own table (`async_support/bybit.py`, 4.5.90), [P] verata-veritatis/bybit-market-maker#4, [Z] answers of
`/v5/position/trading-stop` and `/v5/order/create` as their users quote them.
"""

from collections.abc import Mapping
from enum import Enum, auto


class Meaning(Enum):
    """What an answer proves."""

    REFUSED = auto()
    FUNDS = auto()
    DUPLICATE = auto()
    ABSENT = auto()
    UNCHANGED = auto()
    LATER = auto()  # nothing happened, and the same request may succeed in a while
    LIMITED = auto()
    BANNED = auto()
    CLOCK = auto()  # refused for its time stamp: the venue's clock is to be measured before the next one
    UNKNOWN = auto()  # the venue itself does not know


_KEY = (
    "Check the API key in the venue's settings: key, secret, environment (testnet or live), expiry; and the addresses "
    "there, where the account is of one of Bybit's sites for a country."
)
_PERMISSION = "Give the API key the permission to trade contracts and spot, for these symbols."
_ADDRESS = "Allow this host's address for the API key at Bybit."
_ACCOUNT = "Look at the account at Bybit: it may not trade like this. A unified trading account is needed."
_MODE = "Close the positions and orders of this market, and set one-way mode for it at Bybit."
_MARGIN = "Set cross margin for the account at Bybit: in portfolio margin no contract has a leverage of its own."
_LEVERAGE = "Lower `leverage` of this market in the configuration: Bybit admits less of it."
_DISCLOSURE = "Confirm at Bybit, in the account, what it wants read before this market may be traded."
_COUNTRY = "Bybit does not serve this address' country: run the daemon where it does."
_SITE = (
    "The account is of another of Bybit's sites: write that one's addresses as rest_url, ws_public_url and "
    "ws_private_url in the venue's settings."
)
_REGION = "Bybit does not offer this market where the account is registered: take it out of the configuration."
_COOLING = "The account is in a cooling-off period: Bybit tells there when it ends, and takes no orders before."

OF_A_MARKET = frozenset({_PERMISSION, _MODE, _LEVERAGE, _DISCLOSURE, _REGION})
"""The remedies that may concern some markets only; every other one is for the account as a whole."""

CODES: Mapping[str, Meaning | str] = {  # a string is the remedy: only a person can put it right
    # Every endpoint [D].
    "429": Meaning.LIMITED,  # the trading service is under high load; please retry
    "10000": Meaning.UNKNOWN,  # server timeout
    "10001": Meaning.REFUSED,  # parameter error; see MESSAGES
    "10002": Meaning.CLOCK,  # outside the receive window
    "10003": _KEY,  # invalid key, or another environment's
    "10004": _KEY,  # wrong signature
    "10005": _PERMISSION,
    "10006": Meaning.LIMITED,  # too many visits
    "10007": _KEY,  # authentication failed
    "10008": _ACCOUNT,  # banned
    "10009": Meaning.BANNED,  # the address is banned; see MESSAGES
    "10010": _ADDRESS,
    "10014": Meaning.UNKNOWN,  # duplicate request: the first one may have done it
    "10016": Meaning.UNKNOWN,  # server error; also "Request timeout" [C]
    "10017": "Check the venue's rest_url: Bybit knows no such route.",
    "10018": Meaning.BANNED,  # address' rate limit
    "10020": _ACCOUNT,  # not a unified account [C]
    "10024": _ACCOUNT,  # compliance rules
    "10027": _ACCOUNT,  # transactions are banned
    "10028": _ACCOUNT,  # unified accounts only
    "10029": _PERMISSION,  # the key's whitelist of symbols
    "10429": Meaning.LIMITED,  # system level frequency protection
    "33004": _KEY,  # expired
    "-2015": _KEY,  # expired, spot
    "100028": _ACCOUNT,
    "5004": Meaning.UNKNOWN,  # server timeout [C]
    # Contracts [D].
    "110001": Meaning.ABSENT,  # order does not exist
    "110003": Meaning.REFUSED,  # price out of range
    "110004": Meaning.FUNDS,
    "110005": Meaning.REFUSED,  # position status
    "110006": Meaning.FUNDS,
    "110007": Meaning.FUNDS,
    "110008": Meaning.ABSENT,  # completed or cancelled: no open order of that id
    "110009": Meaning.REFUSED,  # too many stop orders
    "110010": Meaning.ABSENT,  # cancelled already
    "110011": Meaning.REFUSED,  # would liquidate at once
    "110012": Meaning.FUNDS,
    "110013": _LEVERAGE,  # leverage against the risk limit
    "110014": Meaning.FUNDS,
    "110015": Meaning.REFUSED,  # the position is in cross margin
    "110016": Meaning.REFUSED,  # risk limit
    "110017": Meaning.REFUSED,  # reduce-only rule
    "110018": Meaning.REFUSED,  # user id
    "110019": Meaning.REFUSED,  # the order id is none
    "110020": Meaning.REFUSED,  # 500 active orders
    "110021": Meaning.REFUSED,  # open interest
    "110022": Meaning.REFUSED,  # the quantity may only shrink now
    "110023": Meaning.REFUSED,  # the contract is reduce-only now
    "110024": _MODE,
    "110025": Meaning.UNCHANGED,  # position mode
    "110026": Meaning.UNCHANGED,  # margin mode
    "110027": Meaning.UNCHANGED,  # margin
    "110028": _MODE,
    "110029": Meaning.REFUSED,  # no hedge mode for this contract
    "110030": Meaning.DUPLICATE,  # duplicate order id, the predecessor of 110072
    "110031": Meaning.REFUSED,  # no such risk limit
    "110032": Meaning.REFUSED,  # illegal order
    "110033": Meaning.REFUSED,  # no margin without a position
    "110034": Meaning.ABSENT,  # no net position
    "110035": Meaning.REFUSED,  # orders are being withdrawn before a liquidation
    "110036": Meaning.REFUSED,  # leverage, in cross margin
    "110037": Meaning.REFUSED,  # no settings for the symbol
    "110038": _MARGIN,
    "110039": Meaning.REFUSED,  # maintenance margin too high
    "110040": Meaning.REFUSED,  # would trigger a forced liquidation
    "110041": Meaning.REFUSED,  # no such setting beside a position or a resting order
    "110042": Meaning.REFUSED,  # before delivery, reduce only
    "110043": Meaning.UNCHANGED,  # leverage
    "110044": Meaning.FUNDS,
    "110045": Meaning.FUNDS,
    "110046": Meaning.REFUSED,  # the change would liquidate at once
    "110047": Meaning.REFUSED,  # risk limit
    "110048": Meaning.REFUSED,  # risk limit
    "110049": Meaning.REFUSED,
    "110050": Meaning.REFUSED,  # coin
    "110051": Meaning.FUNDS,
    "110052": Meaning.FUNDS,
    "110053": Meaning.FUNDS,
    "110054": Meaning.REFUSED,  # a target for a part of the position stands in the way of a stop for all of it
    "110055": Meaning.REFUSED,  # a stop for a part, likewise
    "110056": Meaning.REFUSED,  # a trailing stop, likewise
    "110057": Meaning.REFUSED,  # orders with stops of their own, likewise
    "110058": Meaning.REFUSED,  # what is left is too little for a stop
    "110059": Meaning.REFUSED,  # no stop of a partly filled order may be changed
    "110060": Meaning.REFUSED,
    "110061": Meaning.REFUSED,  # 20 stops
    "110062": Meaning.REFUSED,  # market makers' protection
    "110063": Meaning.LATER,  # settlement in progress
    "110064": Meaning.REFUSED,  # an order may be changed to no less than is filled of it
    "110065": Meaning.REFUSED,  # market makers' protection
    "110066": Meaning.REFUSED,  # trading not allowed now
    "110067": Meaning.REFUSED,  # not for unified accounts
    "110068": _ACCOUNT,  # no leveraged trading
    "110069": _ACCOUNT,  # of an institution that borrows
    "110070": Meaning.REFUSED,  # leveraged tokens
    "110072": Meaning.DUPLICATE,  # OrderLinkedID is duplicate
    "110073": Meaning.UNKNOWN,  # the margin mode was not set, by what is not said
    "110074": Meaning.REFUSED,  # the contract is not live
    "110076": Meaning.REFUSED,  # margin is added to isolated positions only
    "110077": _MARGIN,
    "110078": Meaning.REFUSED,  # more margin than can be taken
    "110079": Meaning.LATER,  # the order is being processed
    "110080": Meaning.REFUSED,  # what an institution borrowed is being liquidated
    "110082": Meaning.REFUSED,  # no reduce-only restriction to lift
    "110083": Meaning.REFUSED,  # it is lifted for both sides at once
    "110085": Meaning.REFUSED,  # the contract's risk limits have changed
    "110086": Meaning.REFUSED,  # leverage above the risk limit's
    "110087": _LEVERAGE,  # above the institution's loan's
    "110088": _ACCOUNT,  # unified accounts only
    "110089": Meaning.REFUSED,  # highest risk limit
    "110090": Meaning.REFUSED,  # position limit at this leverage
    "110092": Meaning.REFUSED,  # trigger price on the wrong side
    "110093": Meaning.REFUSED,
    "110094": Meaning.REFUSED,  # notional below the minimum
    "110095": Meaning.REFUSED,  # call auction before the market opens
    "110096": Meaning.REFUSED,  # contracts before the market opens, in portfolio margin
    "110097": Meaning.REFUSED,  # likewise, in an account that is not unified
    "110098": Meaning.REFUSED,  # call auction: only orders that rest
    "110099": Meaning.REFUSED,  # call auction: no stops
    "110100": Meaning.REFUSED,  # contracts before the market opens, in demo trading
    "110101": Meaning.REFUSED,  # inverse contracts
    "110102": Meaning.REFUSED,  # inverse contracts
    "110103": Meaning.REFUSED,  # only post-only orders at this stage
    "110104": Meaning.REFUSED,  # inverse contracts
    "110105": Meaning.REFUSED,  # inverse contracts
    "110106": Meaning.REFUSED,  # inverse contracts
    "110107": Meaning.REFUSED,  # inverse contracts
    "110108": Meaning.REFUSED,  # slippage, in ticks
    "110109": Meaning.REFUSED,  # slippage, in percent
    "110118": Meaning.REFUSED,  # no price for a market order: the book is too thin
    "110119": Meaning.REFUSED,  # orders of market makers only
    "110120": Meaning.REFUSED,  # below the price limit
    "110121": Meaning.REFUSED,  # above the price limit
    "110123": _DISCLOSURE,
    "110124": _COOLING,
    "110125": _DISCLOSURE,  # commodities, stocks, currencies
    "110131": Meaning.FUNDS,
    "110132": _REGION,
    "110135": Meaning.REFUSED,  # beside a position in event futures, in portfolio margin
    "110136": Meaning.REFUSED,  # event futures
    "110137": Meaning.REFUSED,  # event futures before their settlement
    "30133": Meaning.REFUSED,  # not one of the markets that an institution's loan allows
    "30135": _LEVERAGE,  # above the institution's loan's
    "30208": Meaning.REFUSED,  # price too high
    "30209": Meaning.REFUSED,  # price too low
    "30228": Meaning.REFUSED,  # no new positions before a delisting [C]
    "30256": Meaning.FUNDS,  # margin, as 110131
    "40004": Meaning.UNKNOWN,  # the order changed while it was being replaced
    "3400139": Meaning.REFUSED,  # positions and orders exceed the risk limit
    "34040": Meaning.UNCHANGED,  # trading stop [P]
    "34036": Meaning.UNCHANGED,  # leverage, older [C]
    "3100116": Meaning.REFUSED,  # quantity below the minimum [C]
    "3100197": Meaning.LATER,  # the account is being upgraded
    "3200300": Meaning.FUNDS,  # [C]
    "3200320": Meaning.REFUSED,  # as 110080
    "3200403": Meaning.REFUSED,  # isolated margin
    # Spot [D].
    "12141": Meaning.DUPLICATE,  # duplicate clientOrderId, the predecessor of 170141 [C]
    "170001": Meaning.UNKNOWN,  # internal error
    "170005": Meaning.LIMITED,  # too many new orders in a time
    "170007": Meaning.UNKNOWN,  # the backend did not answer in time
    "170010": Meaning.REFUSED,  # position limit of leveraged tokens
    "170011": Meaning.REFUSED,  # position limit of new tokens
    "170019": Meaning.REFUSED,  # position limit, with its amount
    "170031": Meaning.REFUSED,  # suspended
    "170032": Meaning.UNKNOWN,  # network error
    "170033": Meaning.FUNDS,
    "170034": Meaning.FUNDS,  # liabilities [C]
    "170035": Meaning.UNKNOWN,  # it was handed on
    "170036": Meaning.REFUSED,  # margin trading
    "170037": Meaning.REFUSED,  # margin trading
    "170105": Meaning.REFUSED,  # a parameter is empty
    "170115": Meaning.REFUSED,  # timeInForce
    "170116": Meaning.REFUSED,  # orderType
    "170117": Meaning.REFUSED,  # side
    "170121": Meaning.REFUSED,  # symbol
    "170124": Meaning.REFUSED,  # amount too large
    "170130": Meaning.REFUSED,  # a parameter's data
    "170131": Meaning.FUNDS,
    "170132": Meaning.REFUSED,  # price too high
    "170133": Meaning.REFUSED,  # price too low
    "170134": Meaning.REFUSED,  # price decimals
    "170135": Meaning.REFUSED,  # quantity too large
    "170136": Meaning.REFUSED,  # quantity too small
    "170137": Meaning.REFUSED,  # quantity decimals
    "170139": Meaning.ABSENT,  # filled
    "170140": Meaning.REFUSED,  # amount below the minimum
    "170141": Meaning.DUPLICATE,  # duplicate clientOrderId
    "170142": Meaning.ABSENT,  # cancelled
    "170143": Meaning.ABSENT,  # not on the book
    "170144": Meaning.UNKNOWN,  # the order is locked, for how long is not said
    "170145": Meaning.REFUSED,  # no cancellation of such an order
    "170146": Meaning.UNKNOWN,  # creation timed out
    "170147": Meaning.UNKNOWN,  # cancellation timed out
    "170148": Meaning.REFUSED,  # amount decimals
    "170149": Meaning.UNKNOWN,  # creation failed, by what is not said
    "170150": Meaning.UNKNOWN,  # cancellation failed, likewise
    "170151": Meaning.REFUSED,  # pair not open yet
    "170157": Meaning.REFUSED,  # pair not for the API
    "170159": Meaning.REFUSED,  # no market orders in a pair's first minutes
    "170190": Meaning.ABSENT,  # finished
    "170191": Meaning.LATER,  # cannot be cancelled just now
    "170192": Meaning.REFUSED,  # price above the limit
    "170193": Meaning.REFUSED,  # buy price above the limit
    "170194": Meaning.REFUSED,  # sell price below the limit
    "170195": Meaning.UNKNOWN,  # it may not be filled, and may rest
    "170196": Meaning.UNKNOWN,  # likewise, of a sale
    "170197": Meaning.REFUSED,  # a buy so large that it would move the price
    "170198": Meaning.REFUSED,  # a sale so large that it would move the price
    "170199": Meaning.REFUSED,  # a buy so large, of leveraged tokens
    "170200": Meaning.REFUSED,  # a sale so large, of leveraged tokens
    "170201": Meaning.REFUSED,  # orderFilter
    "170202": Meaning.REFUSED,  # a stop without price
    "170203": Meaning.REFUSED,  # trigger too high
    "170204": Meaning.REFUSED,  # trigger too low
    "170206": Meaning.REFUSED,  # no stops in a pair's first minutes
    "170207": Meaning.REFUSED,  # the platform has too little to lend
    "170209": _REGION,
    "170210": Meaning.REFUSED,  # new order rejected
    "170212": Meaning.UNKNOWN,  # the cancellation is under way
    "170213": Meaning.ABSENT,  # order does not exist
    "170215": Meaning.REFUSED,  # an institution's loan allows no more to be bought
    "170216": Meaning.REFUSED,  # leverage above the institution's loan's
    "170217": Meaning.REFUSED,  # post-only pair
    "170218": Meaning.REFUSED,  # post-only would cross
    "170219": Meaning.REFUSED,  # not for this account
    "170220": Meaning.REFUSED,  # as 170215, of all trades
    "170221": Meaning.REFUSED,  # coin
    "170222": Meaning.LIMITED,  # too many requests in this time
    "170223": Meaning.REFUSED,  # what an institution borrowed is being liquidated
    "170224": _DISCLOSURE,
    "170226": Meaning.REFUSED,  # margin trading is being liquidated
    "170227": Meaning.REFUSED,  # not supported
    "170228": Meaning.REFUSED,  # above the largest purchase
    "170229": Meaning.REFUSED,  # above the largest sale
    "170230": Meaning.REFUSED,  # margin trading, of an institution that borrows
    "170234": Meaning.UNKNOWN,  # system error
    "170241": _DISCLOSURE,
    "170310": Meaning.UNKNOWN,  # change timed out
    "170311": Meaning.UNKNOWN,  # change failed, by what is not said
    "170312": Meaning.REFUSED,  # no change of such an order
    "170313": Meaning.REFUSED,  # less than is filled
    "170341": Meaning.REFUSED,  # quantity too large
    "170344": Meaning.REFUSED,  # margin trading
    "170346": Meaning.REFUSED,  # the coin is no collateral
    "170348": _SITE,
    "170355": Meaning.REFUSED,  # orders of market makers only
    "170358": Meaning.REFUSED,  # leveraged tokens, on this site
    "170359": Meaning.REFUSED,  # margin trading, on this site
    "170360": Meaning.REFUSED,  # the coin is no collateral
    "170371": Meaning.REFUSED,  # below the price limit
    "170372": Meaning.REFUSED,  # above the price limit
    "170381": Meaning.REFUSED,  # quantity too large
    "170382": Meaning.REFUSED,  # quantity too large
    "170709": Meaning.REFUSED,  # not one of the pairs that an institution's loan allows
    "170810": Meaning.REFUSED,  # 500 orders
}

# Codes that Bybit uses for several things: what its message contains decides.
MESSAGES: tuple[tuple[str, str, Meaning | str], ...] = (
    ("10001", "zero position", Meaning.ABSENT),  # can not set tp/sl/ts for zero position [Z]
    ("10001", "not modified", Meaning.UNCHANGED),
    ("10001", "position idx not match", _MODE),  # the account is in hedge mode
    ("10001", "sign params error", _KEY),  # [C]
    ("10001", "only support unified", _ACCOUNT),  # the wallet of an account that is not
    ("10009", "for your region", _COUNTRY),  # the ban of an address has the same code
    ("", "block access from your country", _COUNTRY),  # HTTP 403 of the delivery network, not of the rate limit
)

STATUSES: Mapping[int, Meaning | str] = {  # answers without a retCode [D]
    401: _KEY,
    403: Meaning.BANNED,  # [R] "403, access too frequent"
    429: Meaning.LIMITED,
}

# ccxt's classes that prove a refusal whichever code is behind them; `InvalidOrder` and `BadRequest` do not.
CLASSES: Mapping[str, Meaning | str] = {
    "RateLimitExceeded": Meaning.LIMITED,
    "InsufficientFunds": Meaning.FUNDS,
    "OrderNotFound": Meaning.ABSENT,
    "DuplicateOrderId": Meaning.DUPLICATE,
    "BadSymbol": Meaning.REFUSED,
    "NotSupported": Meaning.REFUSED,
    "ManualInteractionNeeded": _ACCOUNT,
    "RestrictedLocation": _COUNTRY,
    "PermissionDenied": _PERMISSION,  # and AccountSuspended, AccountNotEnabled below it
    "AuthenticationError": _KEY,
}
