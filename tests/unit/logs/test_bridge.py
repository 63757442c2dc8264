"""What libraries say, in the form of our own events."""

import io
import logging
import warnings

from kangbot.logs.masking import MASK
from tests.support.logged import CANARY, fail, set_up


def test_what_libraries_say_has_the_same_form() -> None:
    """ccxt, aiohttp, aiomysql, websockets, asyncio; warnings too. Their chatter below a warning is left out."""
    written = set_up(format="json")
    logging.getLogger("aiomysql").info("chatter")
    logging.getLogger("websockets.client").warning("closing %s", CANARY)
    logging.getLogger("asyncio").error("took %d s", "not a number")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    said = [(event["level"], event["logger"]) for event in written.events]
    assert said == [("warning", "websockets.client"), ("error", "asyncio"), ("warning", "py.warnings")]
    assert written.events[0]["message"] == f"closing {MASK}"
    assert written.events[1]["message"] == "took %d s"


def test_a_librarys_error_has_its_place() -> None:
    """exception() of the standard library."""
    written = set_up(format="json")
    try:
        fail(CANARY)
    except ValueError:
        logging.getLogger("ccxt").exception("failed")
    assert written.events[0]["error"] == f"ValueError: {MASK}"


def test_what_a_library_says_is_said_whole_in_this_form_alone() -> None:
    """No handler of before writes it a second time, and the program's own level holds where it is higher."""
    other = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(other))
    written = set_up(format="json", level="error")
    logging.getLogger("ccxt").warning("slow")
    logging.getLogger("ccxt").critical("gone")
    assert [(event["event"], event["level"], event["message"]) for event in written.events] == [
        ("library.said", "critical", "gone")
    ]
    assert other.getvalue() == ""


def test_while_faults_are_looked_for_libraries_say_more() -> None:
    """But not each step of theirs."""
    written = set_up(format="json", level="debug")
    logging.getLogger("aiohttp").info("a request")
    logging.getLogger("aiohttp").debug("a byte")
    assert [event["message"] for event in written.events] == ["a request"]


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("not even that")


def test_a_library_gets_no_error_for_what_it_says() -> None:
    """Whatever that is: it would fall in the middle of an order, by a line of a log."""
    written = set_up(format="json")
    logging.getLogger("ccxt").error(Broken())
    logging.getLogger("ccxt").error("%s went wrong", Broken())
    assert [event["message"] for event in written.events] == [
        "<Broken that cannot be shown: RuntimeError>",
        "%s went wrong",
    ]
