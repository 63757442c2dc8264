"""The whole configuration as one frozen value."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from urllib.parse import quote, unquote

from kangbot.model.ids import Symbol, VenueName
from kangbot.settings.breakers import BreakerSettings
from kangbot.settings.daemon import (
    CONTROL_SOCKET,
    DEFAULT_STATE_DIR,
    Control,
    Database,
    Live,
    Logs,
    Shutdown,
    Start,
    Supervision,
)
from kangbot.settings.errors import ErrorSettings
from kangbot.settings.feeds import FeedSettings
from kangbot.settings.health import HealthSettings
from kangbot.settings.kinds import FilePath, Secret, password_in
from kangbot.settings.notify import Notify
from kangbot.settings.telegram import TelegramSettings
from kangbot.settings.trading import Defaults, Market, MarketSettings, Paper, Risk
from kangbot.settings.venues import SANDBOX_CREDENTIAL, Category, Mode, Venues


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What `load` returns. Read once, in `app/`; below it there are only parameters."""

    mode: Mode = "sandbox"
    """`sandbox`: the simulated exchange. `paper`: live data, simulated fills. `testnet`: the venue's own playground.
    `live`: money. The default can hurt nobody."""

    state_dir: FilePath = DEFAULT_STATE_DIR
    """The daemon's memory: journal, embedded history, control socket. Like every path in the file it is taken from the
    file's own folder, so that a configuration means the same wherever kangbot is started."""

    live: Live = field(default_factory=Live)
    defaults: Defaults = field(default_factory=Defaults)
    markets: tuple[Market, ...] = ()
    venues: Venues = field(default_factory=Venues)
    database: Database = field(default_factory=Database)
    start: Start = field(default_factory=Start)
    paper: Paper = field(default_factory=Paper)
    risk: Risk = field(default_factory=Risk)
    supervision: Supervision = field(default_factory=Supervision)
    breakers: BreakerSettings = field(default_factory=BreakerSettings)
    feeds: FeedSettings = field(default_factory=FeedSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    errors: ErrorSettings = field(default_factory=ErrorSettings)
    notify: Notify = field(default_factory=Notify)
    telegram: TelegramSettings = field(default_factory=TelegramSettings)
    shutdown: Shutdown = field(default_factory=Shutdown)
    logs: Logs = field(default_factory=Logs)
    control: Control = field(default_factory=Control)

    @property
    def trading(self) -> tuple[MarketSettings, ...]:
        """Every market with the defaults filled in, in the order of the file."""
        return tuple(self.fill_in(market) for market in self.markets)

    @property
    def venue(self) -> VenueName:
        """The one venue of the daemon's markets."""
        return next((market.venue for market in self.trading if market.enabled), VenueName(self.defaults.venue))

    @property
    def currency(self) -> str:
        """The money in which limits count equity: what the first enabled market settles in; on paper USDT."""
        if self.mode == "paper":
            return "USDT"  # what a simulated account holds, whatever is traded
        return next((market.money for market in self.trading if market.enabled), "USDT")

    @property
    def bybit_rest_url(self) -> str:
        """Bybit's REST address, without a slash at the end."""
        return self.venues.bybit.rest_url or self.venues.bybit.addresses(self.mode)[0]

    @property
    def bybit_ws_public_url(self) -> str:
        """Bybit's public websocket, without its last part: the kind of the market, which has an address for each."""
        url = self.venues.bybit.ws_public_url or self.venues.bybit.addresses(self.mode)[1]
        base, _, last = url.rpartition("/")
        return base if last in get_args(Category) else url

    @property
    def bybit_ws_private_url(self) -> str:
        """Bybit's private websocket."""
        return self.venues.bybit.ws_private_url or self.venues.bybit.addresses(self.mode)[2]

    @property
    def bybit_key(self) -> str:
        """The API key; the sandbox exchange has one that everybody knows. "" in paper mode, whatever is configured."""
        return self._credential(self.venues.bybit.key)

    @property
    def bybit_secret(self) -> str:
        """The secret of the same."""
        return self._credential(self.venues.bybit.secret)

    def _credential(self, given: Secret | None) -> str:
        if self.mode == "paper":
            return ""  # what is not there signs nothing
        if given is not None:
            return given.value
        return SANDBOX_CREDENTIAL if self.mode == "sandbox" else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that may appear nowhere: the keys, the database's password and its whole address."""
        bybit, database = self.venues.bybit, self.database.url
        values = [given.value for given in (bybit.key, bybit.secret, database) if given is not None]
        if database is not None and (password := password_in(database.value)):
            values += [password, unquote(password)]
        if self.notify.addresses is not None:
            values += [self.notify.addresses.value, *self.notify.addresses.value.split()]
        if self.telegram.token is not None:
            values.append(self.telegram.token.value)
        return tuple(value for value in values if value != SANDBOX_CREDENTIAL)

    @property
    def history_url(self) -> str:
        """The history database's address, password included: the one that was set, or the embedded file's."""
        url = self.database.url
        return url.value if url is not None else f"sqlite:///{quote(str(self.state_dir / 'history.sqlite'))}"

    @property
    def control_socket(self) -> Path:
        """Where the daemon listens for `kangbot status`."""
        return self.control.socket or self.state_dir / CONTROL_SOCKET

    @property
    def control_token(self) -> Path:
        """The file of the token that may command."""
        return self.control.control_token_file or self.state_dir / "control.token"

    @property
    def read_token(self) -> Path:
        """The file of the token that may look."""
        return self.control.read_token_file or self.state_dir / "read.token"

    def fill_in(self, market: Market) -> MarketSettings:
        """Return the market with what it leaves out taken from `[defaults]`."""
        defaults = self.defaults
        strategy = market.strategy or defaults.strategy
        shared = defaults.parameters if strategy == defaults.strategy else {}
        return MarketSettings(
            venue=VenueName(market.venue or defaults.venue),
            symbol=Symbol(market.symbol),
            strategy=strategy,
            parameters={**shared, **market.parameters},
            timeframe=market.timeframe or defaults.timeframe,
            size=market.size or defaults.size,
            leverage=market.leverage or defaults.leverage,
            entry_order=market.entry_order or defaults.entry_order,
            exit_order=market.exit_order or defaults.exit_order,
            order_patience_s=market.order_patience_s or defaults.order_patience_s,
            enabled=market.enabled,
        )
