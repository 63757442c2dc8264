"""Routes that act: each says what repeating it does, is journalled with its caller, and answers with what is now."""

import msgspec

from kangbot.control.port import Controlled
from kangbot.control.reading import market_in, meant
from kangbot.control.route import FORGOTTEN, NO_MARKET, NOT_AT_WORK, Call, Handle, Route, post
from kangbot.health.report import MarketReport, Reloaded
from kangbot.market.drawdown import Recount
from kangbot.market.killswitch import Standing
from kangbot.market.roster import Command
from kangbot.model.ids import MarketId

_COMMANDED = NOT_AT_WORK | FORGOTTEN
_NOT_BEGUN = {409: "The daemon is stopping, or has not begun its work yet."}
_ANEW = "Repeating it counts from the equity of that moment, where that is lower by then."

_WORDS = {
    Command.START: "Have the market trade.",
    Command.STOP: "Have the market stand still; its position keeps its stop.",
    Command.PAUSE: "Let no new position in; what is held is managed.",
    Command.RESUME: "Let positions in again after a pause.",
}


class KillAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /kill`; it may be empty."""

    reason: str = ""
    flatten: bool = False


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where a market stands."""

    market: MarketId
    state: str
    desired: str
    reason: str


class Commanded(Placed, frozen=True, kw_only=True):
    """The same, and since when."""

    since_ns: int


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A command to all markets, and where they stand; starting goes on in the background."""

    accepted: str
    markets: list[Placed]


class Commanding:
    """The handlers over one daemon."""

    def __init__(self, daemon: Controlled) -> None:
        self._daemon = daemon

    def routes(self) -> tuple[Route, ...]:
        """Return the routes."""
        return (
            *(
                post(
                    f"/markets/{{market}}/{command.value}",
                    _WORDS[command],
                    self._one(command),
                    Commanded,
                    also=NO_MARKET | _COMMANDED,
                )
                for command in Command
            ),
            post(
                "/markets/{market}/release",
                "Lift the market's quarantine.",
                self._release_market,
                MarketReport,
                also=NO_MARKET
                | NOT_AT_WORK
                | {503: "A restart would bring it back, or the market has not come to it."},
            ),
            post(
                "/start-all",
                "Start every market, one after another.",
                self._all(Command.START),
                Accepted,
                also=_COMMANDED,
            ),
            post("/stop-all", "Stop every market.", self._all(Command.STOP), Accepted, also=_COMMANDED),
            post(
                "/kill",
                "Set the kill switch: no market enters any more.",
                self._kill,
                Standing,
                body=KillAsked,
                also={503: "No disk took it."},
            ),
            post(
                "/config/reload",
                "Read the configuration's file and apply what is different, whole or not at all.",
                self._reload,
                Reloaded,
                also=_NOT_BEGUN,
            ),
            post("/release", "Release the kill switch.", self._release, Standing, also={503: "It stays set."}),
            post(
                "/drawdown/reset",
                "Accept what was lost: count the drawdown anew from the equity of now.",
                self._reset_drawdown,
                Recount,
                note=_ANEW,
                also=_NOT_BEGUN | FORGOTTEN,
            ),
        )

    def _one(self, command: Command) -> Handle:
        async def handle(call: Call) -> object:
            market = meant(self._daemon, call.path["market"])
            place = self._daemon.command(market, command, call.caller.name)
            self._daemon.told(f"{command.value} {market}", call.caller.name)
            await self._daemon.kept()
            return Commanded(
                market=market,
                state=place.state.value,
                desired=place.desired.value,
                reason=place.reason,
                since_ns=place.since_ns,
            )

        return handle

    def _all(self, command: Command) -> Handle:
        async def handle(call: Call) -> object:
            self._daemon.command_all(command, call.caller.name)
            self._daemon.told(f"{command.value}-all", call.caller.name)
            await self._daemon.kept()
            return Accepted(accepted=command.value, markets=[_placed(m) for m in self._daemon.report().markets])

        return handle

    async def _kill(self, call: Call) -> object:
        standing = await self._daemon.kill(call.body.reason, call.caller.name, flatten=call.body.flatten)
        self._daemon.told(f"kill{' and flatten' * call.body.flatten}", call.caller.name)  # what comes again, too
        return standing

    async def _release(self, call: Call) -> object:
        standing = await self._daemon.release(call.caller.name)
        self._daemon.told("release", call.caller.name)
        return standing

    async def _reset_drawdown(self, call: Call) -> object:
        recount = self._daemon.reset_drawdown(call.caller.name)
        self._daemon.told(f"drawdown/reset: {'' if recount.reset else 'nothing to '}reset", call.caller.name)
        await self._daemon.kept()
        return recount

    async def _reload(self, call: Call) -> object:
        reloaded = await self._daemon.reload_config(call.caller.name)
        became = "refused" if reloaded.problems else f"{len(reloaded.applied)} changes applied"
        became = "still being read" if reloaded.waiting else became
        self._daemon.told(f"config/reload: {became}", call.caller.name)
        return reloaded

    async def _release_market(self, call: Call) -> object:
        market = meant(self._daemon, call.path["market"])
        await self._daemon.release_market(market, call.caller.name)
        self._daemon.told(f"release {market}", call.caller.name)
        return market_in(self._daemon.report(), market)


def _placed(market: MarketReport) -> Placed:
    return Placed(market=market.market, state=market.state, desired=market.desired, reason=market.reason)
