"""What a line of a chat does."""

import pytest
from msgspec.structs import replace

from kangbot.control.chat.commands import HELP, ChatCommands
from kangbot.market.roster import Command
from tests.support.control_desk import MARKET, REPORT, Desk
from tests.support.reporting import a_market, a_report


@pytest.fixture
def desk() -> Desk:
    """A daemon of one market."""
    return Desk()


@pytest.fixture
def commands(desk: Desk) -> ChatCommands:
    """Its chat."""
    return ChatCommands(desk, lambda: ["1 of 1 markets live"])


async def test_status_says_the_health_and_how_things_stand(commands: ChatCommands, desk: Desk) -> None:
    """With what is not well, since a phone shows nothing else of it. Looking commands nothing."""
    said = await commands.answer("/status", "ann")
    assert said.startswith("critical, score ")
    assert said.splitlines()[1:] == ["breakers: 1 market, with a breaker that is not closed", "1 of 1 markets live"]
    assert desk.obeyed == []


async def test_positions_name_what_is_held_with_its_stop(commands: ChatCommands) -> None:
    """One line a position."""
    symbol = REPORT.markets[0].symbol
    assert (await commands.answer("/positions", "ann")).startswith(f"{symbol} +2 from 10, ")
    assert (await commands.answer("/positions", "ann")).endswith(", stop 9")


async def test_a_position_without_a_stop_is_said_to_have_none(
    commands: ChatCommands, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And why, where it is to have one; what is flat is no position."""
    bare = replace(REPORT.markets[0], stop=None, unprotected="the venue refuses it")
    monkeypatch.setattr(desk, "report", lambda: a_report(bare, a_market("ETH")))
    (said,) = (await commands.answer("/positions", "ann")).splitlines()
    assert said.endswith(", no stop UNPROTECTED: the venue refuses it")
    monkeypatch.setattr(desk, "report", lambda: a_report(a_market("ETH")))
    assert await commands.answer("/positions", "ann") == "no position is open"


async def test_positions_that_are_not_known_yet_are_not_told_as_none(
    commands: ChatCommands, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No market has begun: the venue has not answered."""
    monkeypatch.setattr(desk, "report", lambda: a_report(waiting="bybit was not reached"))
    assert await commands.answer("/positions", "ann") == "what is held is not known yet: bybit was not reached"


@pytest.mark.parametrize(
    ("line", "command"), [("/stopall", Command.STOP), ("/startall", Command.START), ("/StopAll@our_bot", Command.STOP)]
)
async def test_all_markets_are_commanded_in_the_chats_name(
    commands: ChatCommands, desk: Desk, line: str, command: Command
) -> None:
    """The journal has who it was; in a group the command carries the bot's name."""
    said = await commands.answer(line, "telegram chat 7 (ann)")
    assert desk.obeyed == [(command, "telegram chat 7 (ann)")]
    assert desk.journal == [(f"{command.value}-all", "telegram chat 7 (ann)")]
    assert "kill switch" not in said


async def test_markets_that_start_under_the_kill_switch_are_said_to_enter_nothing(
    commands: ChatCommands, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever started them would wait for trades."""
    monkeypatch.setattr(desk, "report", lambda: replace(REPORT, killed="a person"))
    assert (await commands.answer("/startall", "ann")).endswith("; the kill switch is still set: a person")


@pytest.mark.parametrize("name", [str(MARKET), "A"])
async def test_one_market_is_stopped_by_any_of_its_names(commands: ChatCommands, desk: Desk, name: str) -> None:
    """Its name, or the coin alone, in whatever case a phone writes it; the journal has who it was."""
    said = await commands.answer(f"/stop {name.lower()}", "ann")
    assert said.startswith(f"{REPORT.markets[0].symbol} stops")
    assert desk.obeyed == [(MARKET, Command.STOP, "ann")]
    assert desk.journal == [(f"stop {MARKET}", "ann")]


@pytest.mark.parametrize("line", ["/stop", "/stop one two", "/stop NOSUCH", "/kill everything", "/kill flatten now"])
async def test_what_is_not_plain_commands_nothing(commands: ChatCommands, desk: Desk, line: str) -> None:
    """A question comes back, and nothing was done."""
    assert await commands.answer(line, "ann")
    assert desk.obeyed == []


@pytest.mark.parametrize(("line", "flatten"), [("/kill", False), ("/kill flatten", True)])
async def test_the_kill_switch_is_set(commands: ChatCommands, desk: Desk, line: str, flatten: bool) -> None:
    """With `flatten` every position is closed as well; the answer says how it is lifted."""
    said = await commands.answer(line, "ann")
    assert desk.obeyed == [("kill", "from a chat", flatten, "ann")]
    assert desk.journal == [("kill and flatten" if flatten else "kill", "ann")]
    assert "kangbot release" in said
    assert ("every position is being closed" in said) is flatten


async def test_a_full_disk_is_told_in_words(commands: ChatCommands, desk: Desk) -> None:
    """An error is an answer, never an end of listening."""
    desk.disk_full = True
    assert await commands.answer("/kill", "ann") == "no disk took it; make room"
    for line in ("/stop A", "/stopall", "/startall"):
        assert await commands.answer(line, "ann") == "a restart would forget it; make room"


@pytest.mark.parametrize("line", ["/help", "/start", "/withdraw all", "", "   ", "/"])
async def test_anything_else_is_answered_with_what_there_is(commands: ChatCommands, line: str) -> None:
    """Nothing else is understood."""
    assert await commands.answer(line, "ann") == HELP
