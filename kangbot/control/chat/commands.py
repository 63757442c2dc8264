"""What a line of a chat commands, and what is answered: the same commands as everywhere, under the same rules.

A chat is a slow and narrow way in, so it has few words: those that look, those that make the daemon safer, and
`/startall`. Whatever moves a single order is for the command line and the dashboard.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from kangbot.control.port import Controlled
from kangbot.control.reading import holding, meant
from kangbot.errors import KangbotError, NeedsHuman
from kangbot.health.checks import in_short
from kangbot.health.report import MarketReport
from kangbot.machines.verdict import Status
from kangbot.market.naming import UnknownMarketError
from kangbot.market.roster import Command

HELP = """/status: how things stand
/positions: what is held
/stop MARKET: have one market stand still
/stopall: have all stand still; positions keep their stops
/startall: start every market
/kill: no market enters any more, over restarts too
/kill flatten: the same, and close every position"""

Answer = Callable[[Sequence[str], str], Awaitable[str]]  # words after the command, and the caller


class ChatCommands:
    """Answers lines for one daemon. `standing` is how things stand, in lines."""

    def __init__(self, daemon: Controlled, standing: Callable[[], Sequence[str]]) -> None:
        self._daemon = daemon
        self._standing = standing
        self._known: Mapping[str, Answer] = {
            "/status": self._status,
            "/positions": self._positions,
            "/stop": self._stop,
            "/stopall": self._stop_all,
            "/startall": self._start_all,
            "/kill": self._kill,
        }

    async def answer(self, line: str, caller: str) -> str:
        """Obey one line of `caller`, and return what to say. Never raises for what the line says."""
        first, *words = line.split() or [""]
        command = first.partition("@")[0].lower()  # in a group: /status@the_bots_name
        known = self._known.get(command)
        if known is None:
            return HELP
        try:
            return await known(words, caller)
        except UnknownMarketError as error:
            return str(error)
        except NeedsHuman as error:
            return f"{error.message}; {error.remedy}"
        except KangbotError as error:
            return error.message

    async def _status(self, _words: Sequence[str], _caller: str) -> str:
        health = self._daemon.health()
        unwell = [in_short(check) for check in health.checks if check.status is not Status.HEALTHY]
        return "\n".join([f"{health.status.value}, score {health.score}", *unwell, *self._standing()])

    async def _positions(self, _words: Sequence[str], _caller: str) -> str:
        held = holding(self._daemon.report())
        return "\n".join(_position(market) for market in held) or "no position is open"

    async def _stop(self, words: Sequence[str], caller: str) -> str:
        if len(words) != 1:
            return "which one? /stop BTC or /stop BTC/USDT:USDT; /stopall stops every market"
        market = meant(self._daemon, words[0])
        self._daemon.command(market, Command.STOP, caller)
        self._daemon.told(f"stop {market}", caller)
        await self._daemon.kept()
        symbol = next(one.symbol for one in self._daemon.report().markets if one.market == market)
        return f"{symbol} stops; its position keeps its stop"

    async def _stop_all(self, _words: Sequence[str], caller: str) -> str:
        return await self._all(Command.STOP, caller)

    async def _start_all(self, _words: Sequence[str], caller: str) -> str:
        return await self._all(Command.START, caller)

    async def _all(self, command: Command, caller: str) -> str:
        self._daemon.command_all(command, caller)
        self._daemon.told(f"{command.value}-all", caller)
        await self._daemon.kept()
        said = {Command.START: "every market starts, one after another", Command.STOP: "every market stops"}
        killed = self._daemon.report().killed
        return said[command] + (f"; the kill switch is still set: {killed}" if killed else "")

    async def _kill(self, words: Sequence[str], caller: str) -> str:
        if words not in ([], ["flatten"]):
            return "/kill, or /kill flatten to close every position as well"
        await self._daemon.kill("from a chat", caller, flatten=bool(words))
        self._daemon.told(f"kill{' and flatten' * bool(words)}", caller)  # what comes again, too
        also = "; every position is being closed" if words else ""
        return f"the kill switch is set{also}. `kangbot release` on the server lifts it"


def _position(market: MarketReport) -> str:
    stop = f"stop {market.stop:f}" if market.stop is not None else "no stop"
    warning = f" UNPROTECTED: {market.unprotected}" if market.unprotected else ""
    return f"{market.symbol} {market.net:+f} from {market.entry:f}, {market.unrealised:+.2f}, {stop}{warning}"
