"""`[venues.*]`: where the venues are, how fast we may speak to them, and where their keys are.

Addresses that are absent follow from `mode`; the tables are here, with their source.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from kangbot.settings.kinds import SECTION, Between, FilePath, HttpUrl, Secret, WebsocketUrl

Mode = Literal["sandbox", "paper", "testnet", "live"]
Category = Literal["linear", "spot"]  # Bybit's word for the kind of a market
SANDBOX_PORT = 8790  # `kangbot sandbox` listens here unless told otherwise
SANDBOX_CREDENTIAL = "sandbox"  # its key and its secret; worth nothing anywhere else

# https://bybit-exchange.github.io/docs/v5/guide and …/v5/ws/connect: REST, public and private websocket. The public
# address is without its last part, which is the kind of the market (linear, spot): the adapter adds it. Those of mode
# "sandbox" follow from `sandbox_url`.
BYBIT_LIVE = ("https://api.bybit.com", "wss://stream.bybit.com/v5/public", "wss://stream.bybit.com/v5/private")
BYBIT_ADDRESSES: dict[Mode, tuple[str, str, str]] = {
    "paper": BYBIT_LIVE,
    "testnet": (
        "https://api-testnet.bybit.com",
        "wss://stream-testnet.bybit.com/v5/public",
        "wss://stream-testnet.bybit.com/v5/private",
    ),
    "live": BYBIT_LIVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bybit:
    """`[venues.bybit]`: data and orders, Bybit v5."""

    __pydantic_config__ = SECTION

    sandbox_url: HttpUrl = f"http://127.0.0.1:{SANDBOX_PORT}"
    """Where the simulated exchange of mode `sandbox` is served; no other mode asks there. In a container it is a
    neighbour rather than the machine itself."""

    rest_url: HttpUrl | None = None
    """Absent: the mode's own address. An account of one of Bybit's sites for a country is served at that one's, as
    `https://api.bybit.kz`, with `wss://stream.bybit.kz/v5/public` and `/v5/private` for the two below. Such an address
    is refused in mode `testnet`, whose orders are to be without money."""

    ws_public_url: WebsocketUrl | None = None
    """With or without its last part, which is the kind of the market (`linear`, `spot`). Absent: the mode's own."""

    ws_private_url: WebsocketUrl | None = None
    """Absent: the mode's own address."""

    key_file: FilePath | None = None
    """A file that holds the API key and nothing else. Absent: `KANGBOT_VENUES__BYBIT__KEY`, or the file `bybit_key` in
    systemd's credentials folder. Needed in testnet and live only."""

    secret_file: FilePath | None = None
    """The same for the secret: `KANGBOT_VENUES__BYBIT__SECRET`, `bybit_secret`."""

    key: Secret | None = None
    """Never in the file: filled from the sources above."""

    secret: Secret | None = None
    """Never in the file: filled from the sources above."""

    receive_window_ms: Annotated[int, Between(100, 60_000)] = 5000
    """How late a request may reach the venue, in milliseconds. Longer leaves an order of unknown outcome unknown for
    longer; shorter refuses orders when the network is slow. 5000 is the venue's own default."""

    connects_per_5_minutes: Annotated[int, Between(1, 500)] = 300
    """Websocket connects in any 5 minutes. Bybit bans the address above 500."""

    requests_per_second: Annotated[int, Between(1, 100)] = 10
    """Signed REST requests in any second, all kinds together: orders, cancels, questions about the account. Bybit
    allows an account 10 orders a second, and counts them as they arrive: a request of ours counts for a second from its
    answer. What takes several requests (a question about one order: up to three; a long log: one a page) waits for each
    of them, and lets exits and cancels pass in between."""

    data_requests_per_second: Annotated[int, Between(1, 100)] = 20
    """REST requests for public data in any second. Bybit allows an address 600 requests in 5 seconds."""

    request_timeout_ms: Annotated[int, Between(500, 60_000)] = 10_000
    """After this a request counts as unanswered, in milliseconds. One that places, cancels or protects, or asks for an
    order, is given up after `receive_window_ms` and 2 seconds already, where that is sooner, as it is by default."""

    def addresses(self, mode: Mode) -> tuple[str, str, str]:
        """Return the mode's own addresses: REST, public and private websocket."""
        if mode != "sandbox":
            return BYBIT_ADDRESSES[mode]
        base = self.sandbox_url.rstrip("/")
        streams = f"ws{base.removeprefix('http')}/v5"
        return base, f"{streams}/public", f"{streams}/private"


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceUsdm:
    """`[venues.binance_usdm]`: market data only, Binance USD-M futures; traded in mode `paper`."""

    __pydantic_config__ = SECTION

    rest_url: HttpUrl = "https://fapi.binance.com"
    """For candles, the newest trades and the instruments' rules."""

    ws_public_url: WebsocketUrl = "wss://fstream.binance.com"
    """Without its path: `/public` and `/market` carry the streams since 2026-04."""

    connects_per_5_minutes: Annotated[int, Between(1, 300)] = 200
    """Websocket connects in any 5 minutes. Binance bans the address above 300."""

    requests_per_second: Annotated[int, Between(1, 40)] = 10
    """REST requests in any second. Binance also counts weight, 2400 a minute, and a request of ours weighs up to 20:
    never more than 120 leave in a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venues:
    """`[venues]`."""

    __pydantic_config__ = SECTION

    bybit: Bybit = field(default_factory=Bybit)
    binance_usdm: BinanceUsdm = field(default_factory=BinanceUsdm)
