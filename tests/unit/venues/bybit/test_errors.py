"""Every code of the table by its number, with where its meaning is documented."""

import asyncio

import pytest

from kangbot.errors import (
    Ambiguous,
    DuplicateId,
    InsufficientFunds,
    KangbotError,
    Misstamped,
    NeedsHuman,
    NotFound,
    RateLimited,
    Refused,
    Retryable,
)
from kangbot.venues.bybit.codes import CODES
from kangbot.venues.bybit.errors import BAN_NS, SECOND_NS, WINDOW_NS, Answered, NotModified, classify, retry_after
from kangbot.venues.http import NoAnswer, NotSent
from tests.support.ccxt_errors import errors as ccxt_errors

DOCS = "https://bybit-exchange.github.io/docs/v5/error"
CCXT = "ccxt 4.5.90, async_support/bybit.py, 'exceptions'"
FORUM = "https://github.com/verata-veritatis/bybit-market-maker/issues/4"

# code, what a call that changes something gets, source
TABLE: list[tuple[str, type[KangbotError], str]] = [
    ("429", RateLimited, DOCS),
    ("10000", Ambiguous, DOCS),
    ("10001", Refused, DOCS),
    ("10002", Misstamped, DOCS),
    ("10003", NeedsHuman, DOCS),
    ("10004", NeedsHuman, DOCS),
    ("10005", NeedsHuman, DOCS),
    ("10006", RateLimited, DOCS),
    ("10007", NeedsHuman, DOCS),
    ("10008", NeedsHuman, DOCS),
    ("10009", RateLimited, DOCS),
    ("10010", NeedsHuman, DOCS),
    ("10014", Ambiguous, DOCS),
    ("10016", Ambiguous, DOCS),
    ("10017", NeedsHuman, DOCS),
    ("10018", RateLimited, DOCS),
    ("10020", NeedsHuman, CCXT),
    ("10024", NeedsHuman, DOCS),
    ("10027", NeedsHuman, DOCS),
    ("10028", NeedsHuman, DOCS),
    ("10029", NeedsHuman, DOCS),
    ("10429", RateLimited, DOCS),
    ("33004", NeedsHuman, DOCS),
    ("-2015", NeedsHuman, DOCS),
    ("100028", NeedsHuman, DOCS),
    ("5004", Ambiguous, CCXT),
    ("110001", NotFound, DOCS),
    ("110003", Refused, DOCS),
    ("110004", InsufficientFunds, DOCS),
    ("110005", Refused, DOCS),
    ("110006", InsufficientFunds, DOCS),
    ("110007", InsufficientFunds, DOCS),
    ("110008", NotFound, DOCS),
    ("110009", Refused, DOCS),
    ("110010", NotFound, DOCS),
    ("110011", Refused, DOCS),
    ("110012", InsufficientFunds, DOCS),
    ("110013", NeedsHuman, DOCS),
    ("110014", InsufficientFunds, DOCS),
    ("110015", Refused, DOCS),
    ("110016", Refused, DOCS),
    ("110017", Refused, DOCS),
    ("110018", Refused, DOCS),
    ("110019", Refused, DOCS),
    ("110020", Refused, DOCS),
    ("110021", Refused, DOCS),
    ("110022", Refused, DOCS),
    ("110023", Refused, DOCS),
    ("110024", NeedsHuman, DOCS),
    ("110025", NotModified, DOCS),
    ("110026", NotModified, DOCS),
    ("110027", NotModified, DOCS),
    ("110028", NeedsHuman, DOCS),
    ("110029", Refused, DOCS),
    ("110030", DuplicateId, DOCS),
    ("110031", Refused, DOCS),
    ("110032", Refused, DOCS),
    ("110033", Refused, DOCS),
    ("110034", NotFound, DOCS),
    ("110035", Refused, DOCS),
    ("110036", Refused, DOCS),
    ("110037", Refused, DOCS),
    ("110038", NeedsHuman, DOCS),
    ("110039", Refused, DOCS),
    ("110040", Refused, DOCS),
    ("110041", Refused, DOCS),
    ("110042", Refused, DOCS),
    ("110043", NotModified, DOCS),
    ("110044", InsufficientFunds, DOCS),
    ("110045", InsufficientFunds, DOCS),
    ("110046", Refused, DOCS),
    ("110047", Refused, DOCS),
    ("110048", Refused, DOCS),
    ("110049", Refused, DOCS),
    ("110050", Refused, DOCS),
    ("110051", InsufficientFunds, DOCS),
    ("110052", InsufficientFunds, DOCS),
    ("110053", InsufficientFunds, DOCS),
    ("110054", Refused, DOCS),
    ("110055", Refused, DOCS),
    ("110056", Refused, DOCS),
    ("110057", Refused, DOCS),
    ("110058", Refused, DOCS),
    ("110059", Refused, DOCS),
    ("110060", Refused, DOCS),
    ("110061", Refused, DOCS),
    ("110062", Refused, DOCS),
    ("110063", Retryable, DOCS),
    ("110064", Refused, DOCS),
    ("110065", Refused, DOCS),
    ("110066", Refused, DOCS),
    ("110067", Refused, DOCS),
    ("110068", NeedsHuman, DOCS),
    ("110069", NeedsHuman, DOCS),
    ("110070", Refused, DOCS),
    ("110072", DuplicateId, DOCS),
    ("110073", Ambiguous, DOCS),
    ("110074", Refused, DOCS),
    ("110076", Refused, DOCS),
    ("110077", NeedsHuman, DOCS),
    ("110078", Refused, DOCS),
    ("110079", Retryable, DOCS),
    ("110080", Refused, DOCS),
    ("110082", Refused, DOCS),
    ("110083", Refused, DOCS),
    ("110085", Refused, DOCS),
    ("110086", Refused, DOCS),
    ("110087", NeedsHuman, DOCS),
    ("110088", NeedsHuman, DOCS),
    ("110089", Refused, DOCS),
    ("110090", Refused, DOCS),
    ("110092", Refused, DOCS),
    ("110093", Refused, DOCS),
    ("110094", Refused, DOCS),
    ("110095", Refused, DOCS),
    ("110096", Refused, DOCS),
    ("110097", Refused, DOCS),
    ("110098", Refused, DOCS),
    ("110099", Refused, DOCS),
    ("110100", Refused, DOCS),
    ("110101", Refused, DOCS),
    ("110102", Refused, DOCS),
    ("110103", Refused, DOCS),
    ("110104", Refused, DOCS),
    ("110105", Refused, DOCS),
    ("110106", Refused, DOCS),
    ("110107", Refused, DOCS),
    ("110108", Refused, DOCS),
    ("110109", Refused, DOCS),
    ("110118", Refused, DOCS),
    ("110119", Refused, DOCS),
    ("110120", Refused, DOCS),
    ("110121", Refused, DOCS),
    ("110123", NeedsHuman, DOCS),
    ("110124", NeedsHuman, DOCS),
    ("110125", NeedsHuman, DOCS),
    ("110131", InsufficientFunds, DOCS),
    ("110132", NeedsHuman, DOCS),
    ("110135", Refused, DOCS),
    ("110136", Refused, DOCS),
    ("110137", Refused, DOCS),
    ("30133", Refused, DOCS),
    ("30135", NeedsHuman, DOCS),
    ("30208", Refused, DOCS),
    ("30209", Refused, DOCS),
    ("30228", Refused, CCXT),
    ("30256", InsufficientFunds, DOCS),
    ("40004", Ambiguous, DOCS),
    ("3400139", Refused, DOCS),
    ("34040", NotModified, FORUM),
    ("34036", NotModified, CCXT),
    ("3100116", Refused, CCXT),
    ("3100197", Retryable, DOCS),
    ("3200300", InsufficientFunds, CCXT),
    ("3200320", Refused, DOCS),
    ("3200403", Refused, DOCS),
    ("12141", DuplicateId, CCXT),
    ("170001", Ambiguous, DOCS),
    ("170005", RateLimited, DOCS),
    ("170007", Ambiguous, DOCS),
    ("170010", Refused, DOCS),
    ("170011", Refused, DOCS),
    ("170019", Refused, DOCS),
    ("170031", Refused, DOCS),
    ("170032", Ambiguous, DOCS),
    ("170033", InsufficientFunds, DOCS),
    ("170034", InsufficientFunds, DOCS),
    ("170035", Ambiguous, DOCS),
    ("170036", Refused, DOCS),
    ("170037", Refused, DOCS),
    ("170105", Refused, DOCS),
    ("170115", Refused, DOCS),
    ("170116", Refused, DOCS),
    ("170117", Refused, DOCS),
    ("170121", Refused, DOCS),
    ("170124", Refused, DOCS),
    ("170130", Refused, DOCS),
    ("170131", InsufficientFunds, DOCS),
    ("170132", Refused, DOCS),
    ("170133", Refused, DOCS),
    ("170134", Refused, DOCS),
    ("170135", Refused, DOCS),
    ("170136", Refused, DOCS),
    ("170137", Refused, DOCS),
    ("170139", NotFound, DOCS),
    ("170140", Refused, DOCS),
    ("170141", DuplicateId, DOCS),
    ("170142", NotFound, DOCS),
    ("170143", NotFound, DOCS),
    ("170144", Ambiguous, DOCS),
    ("170145", Refused, DOCS),
    ("170146", Ambiguous, DOCS),
    ("170147", Ambiguous, DOCS),
    ("170148", Refused, DOCS),
    ("170149", Ambiguous, DOCS),
    ("170150", Ambiguous, DOCS),
    ("170151", Refused, DOCS),
    ("170157", Refused, DOCS),
    ("170159", Refused, DOCS),
    ("170190", NotFound, DOCS),
    ("170191", Retryable, DOCS),
    ("170192", Refused, DOCS),
    ("170193", Refused, DOCS),
    ("170194", Refused, DOCS),
    ("170195", Ambiguous, DOCS),
    ("170196", Ambiguous, DOCS),
    ("170197", Refused, DOCS),
    ("170198", Refused, DOCS),
    ("170199", Refused, DOCS),
    ("170200", Refused, DOCS),
    ("170201", Refused, DOCS),
    ("170202", Refused, DOCS),
    ("170203", Refused, DOCS),
    ("170204", Refused, DOCS),
    ("170206", Refused, DOCS),
    ("170207", Refused, DOCS),
    ("170209", NeedsHuman, DOCS),
    ("170210", Refused, DOCS),
    ("170212", Ambiguous, DOCS),
    ("170213", NotFound, DOCS),
    ("170215", Refused, DOCS),
    ("170216", Refused, DOCS),
    ("170217", Refused, DOCS),
    ("170218", Refused, DOCS),
    ("170219", Refused, DOCS),
    ("170220", Refused, DOCS),
    ("170221", Refused, DOCS),
    ("170222", RateLimited, DOCS),
    ("170223", Refused, DOCS),
    ("170224", NeedsHuman, DOCS),
    ("170226", Refused, DOCS),
    ("170227", Refused, DOCS),
    ("170228", Refused, DOCS),
    ("170229", Refused, DOCS),
    ("170230", Refused, DOCS),
    ("170234", Ambiguous, DOCS),
    ("170241", NeedsHuman, DOCS),
    ("170310", Ambiguous, DOCS),
    ("170311", Ambiguous, DOCS),
    ("170312", Refused, DOCS),
    ("170313", Refused, DOCS),
    ("170341", Refused, DOCS),
    ("170344", Refused, DOCS),
    ("170346", Refused, DOCS),
    ("170348", NeedsHuman, DOCS),
    ("170355", Refused, DOCS),
    ("170358", Refused, DOCS),
    ("170359", Refused, DOCS),
    ("170360", Refused, DOCS),
    ("170371", Refused, DOCS),
    ("170372", Refused, DOCS),
    ("170381", Refused, DOCS),
    ("170382", Refused, DOCS),
    ("170709", Refused, DOCS),
    ("170810", Refused, DOCS),
]


def answered(code: str, message: str = "", *, status: int = 200, retry_after_ns: int = 0) -> Answered:
    return Answered(status=status, code=code, message=message, retry_after_ns=retry_after_ns)


@pytest.mark.parametrize(("code", "expected", "source"), TABLE, ids=[row[0] for row in TABLE])
def test_each_code_proves_what_its_source_says(code: str, expected: type[KangbotError], source: str) -> None:
    """The class is exact, not one above it: a duplicate id must never pass for a mere refusal."""
    error = classify(answered(code), changes=True)
    assert type(error) is expected, source
    assert error.code == code


@pytest.mark.parametrize(("code", "expected", "source"), TABLE, ids=[row[0] for row in TABLE])
def test_a_query_is_never_ambiguous(code: str, expected: type[KangbotError], source: str) -> None:
    """What a query could not learn it may ask again; what is definitive stays so."""
    error = classify(answered(code), changes=False)
    assert type(error) is (Retryable if expected is Ambiguous else expected), source


def test_the_table_here_covers_the_table_there() -> None:
    """A code that is added without its test, or dropped without, is seen."""
    assert {row[0] for row in TABLE} == set(CODES)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("can not set tp/sl/ts for zero position", NotFound),
        ("StopLoss:9000 set for Buy position should lower than base_price:8900??LastPrice", Refused),
        ("position idx not match position mode", NeedsHuman),
        ("Stop loss not modified", NotModified),
        ("empty value: apiTimestamp[] apiKey[]: openapi sign params error!", NeedsHuman),
        ("accountType only support UNIFIED", NeedsHuman),
    ],
)
def test_a_parameter_error_is_told_apart_by_its_message(message: str, expected: type[KangbotError]) -> None:
    """Bybit uses 10001 for states of the account as well as for mistakes of the request."""
    assert type(classify(answered("10001", message), changes=True)) is expected


def test_a_region_that_is_not_served_is_no_ban_that_ends() -> None:
    """Both have one code; in ten minutes the same address would be refused again, for ever."""
    region = "Service Restricted: Access is currently unavailable for your region. Please contact our support team"
    assert type(classify(answered("10009", region), changes=True)) is NeedsHuman
    assert type(classify(answered("10009", "IP has been banned."), changes=True)) is RateLimited


@pytest.mark.parametrize(
    ("status", "message", "changed", "asked"),
    [
        (401, "", NeedsHuman, NeedsHuman),
        (403, "access too frequent", RateLimited, RateLimited),
        (403, "The Amazon CloudFront distribution is configured to block access from your country.", NeedsHuman,
         NeedsHuman),
        (429, "", RateLimited, RateLimited),
        (400, "", Ambiguous, Retryable),
        (404, "<html>", Ambiguous, Retryable),
        (500, "", Ambiguous, Retryable),
        (502, "<html>Bad Gateway</html>", Ambiguous, Retryable),
        (503, "", Ambiguous, Retryable),
        (504, "", Ambiguous, Retryable),
        (524, "a timeout occurred", Ambiguous, Retryable),
        (200, "<html>maintenance</html>", Ambiguous, Retryable),
        (302, "", Ambiguous, Retryable),
    ],
)  # fmt: skip
def test_an_answer_without_a_code_is_judged_by_its_status(
    status: int, message: str, changed: type[KangbotError], asked: type[KangbotError]
) -> None:
    """Only what the documentation of a status proves is definitive."""
    assert type(classify(answered("", message, status=status), changes=True)) is changed
    assert type(classify(answered("", message, status=status), changes=False)) is asked


def test_an_unmapped_code_may_have_happened() -> None:
    """No table names it: ask before trying again. A query just asks again."""
    assert type(classify(answered("987654"), changes=True)) is Ambiguous
    assert type(classify(answered("987654"), changes=False)) is Retryable


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (ccxt_errors.InsufficientFunds, InsufficientFunds),
        (ccxt_errors.RateLimitExceeded, RateLimited),
        (ccxt_errors.OrderNotFound, NotFound),
        (ccxt_errors.DuplicateOrderId, DuplicateId),
        (ccxt_errors.AccountSuspended, NeedsHuman),
        (ccxt_errors.RestrictedLocation, NeedsHuman),
        (ccxt_errors.AuthenticationError, NeedsHuman),
        (ccxt_errors.BadSymbol, Refused),
        (ccxt_errors.InvalidOrder, Ambiguous),  # ccxt's word for timeouts of the engine too
        (ccxt_errors.BadRequest, Ambiguous),
        (ccxt_errors.ExchangeError, Ambiguous),
        (ccxt_errors.RequestTimeout, Ambiguous),
    ],
)
def test_ccxts_class_decides_only_where_the_table_is_silent(
    cause: type[Exception], expected: type[KangbotError]
) -> None:
    """And only the classes that prove a refusal do."""
    unmapped, mapped = answered("987654"), answered("110072")
    unmapped.__cause__ = mapped.__cause__ = cause("ccxt's reading")
    assert type(classify(unmapped, changes=True)) is expected
    assert type(classify(mapped, changes=True)) is DuplicateId


def test_a_request_that_never_left_may_be_made_again() -> None:
    """No connection, no order."""
    assert type(classify(NotSent("connection refused"), changes=True)) is Retryable


def test_a_request_without_an_answer_may_have_arrived() -> None:
    """A reset, a timeout, a server that hung up: none is evidence of absence."""
    assert type(classify(NoAnswer("server disconnected"), changes=True)) is Ambiguous
    assert type(classify(NoAnswer("server disconnected"), changes=False)) is Retryable


@pytest.mark.parametrize("error", [KeyError("orderId"), ValueError("row"), TypeError("none")])
def test_an_answer_that_cannot_be_read_may_be_a_success(error: Exception) -> None:
    """The venue may have said yes in words that we do not understand."""
    assert type(classify(error, changes=True)) is Ambiguous
    assert type(classify(error, changes=False)) is Retryable


def test_what_ccxt_refuses_itself_was_never_sent() -> None:
    """Transport and answers have errors of their own: a bare ccxt error comes from before the request."""
    assert type(classify(ccxt_errors.InvalidOrder("post-only market order"), changes=True)) is Refused
    assert type(classify(ccxt_errors.AuthenticationError("requires apiKey"), changes=True)) is NeedsHuman


def test_an_error_of_ours_passes_as_it_is() -> None:
    """It was classified where it arose."""
    error = Retryable("unreadable row")
    assert classify(error, changes=True) is error


def test_a_cancellation_is_not_an_error_to_classify() -> None:
    """It is a BaseException, and `except Exception` at the edge lets it pass."""
    assert not issubclass(asyncio.CancelledError, Exception)


def test_a_rate_limit_waits_for_the_time_that_the_venue_names() -> None:
    """The header's, else a second, because Bybit counts by the second."""
    named = classify(answered("10006", retry_after_ns=3 * SECOND_NS), changes=True)
    bare = classify(answered("10006"), changes=True)
    assert isinstance(named, RateLimited)
    assert isinstance(bare, RateLimited)
    assert (named.retry_after_ns, bare.retry_after_ns) == (3 * SECOND_NS, WINDOW_NS)


@pytest.mark.parametrize("ban", [answered("", "access too frequent", status=403), answered("10018"), answered("10009")])
def test_a_banned_address_waits_ten_minutes(ban: Answered) -> None:
    """https://bybit-exchange.github.io/docs/v5/rate-limit: wait for at least 10 minutes."""
    error = classify(ban, changes=False)
    assert isinstance(error, RateLimited)
    assert error.retry_after_ns == BAN_NS == 600 * SECOND_NS


def test_needs_human_carries_a_remedy() -> None:
    """A person reads a sentence, not a code."""
    error = classify(answered("10003", "API key is invalid."), changes=False)
    assert isinstance(error, NeedsHuman)
    assert "key" in error.remedy
    assert "API key is invalid." in error.message


@pytest.mark.parametrize(
    ("code", "of_account"),
    [
        ("33004", True),
        ("10003", True),
        ("10010", True),
        ("10024", True),
        ("110124", True),
        ("170348", True),
        ("110024", False),
        ("10029", False),
        ("110125", False),
        ("110132", False),
        ("170209", False),
    ],
)
def test_what_is_the_accounts_matter_is_said_so(code: str, *, of_account: bool) -> None:
    """A key that has ended is every market's; a market's mode, terms or region, or a key's list of symbols, is not."""
    error = classify(answered(code, "no"), changes=True)
    assert isinstance(error, NeedsHuman)
    assert error.of_account is of_account


@pytest.mark.parametrize(
    ("headers", "expected_ns"),
    [
        ({}, 0),
        ({"Retry-After": "7"}, 7 * SECOND_NS),
        ({"X-Bapi-Limit-Reset-Timestamp": "1700000001500"}, 1_500_000_000),
        ({"X-Bapi-Limit-Reset-Timestamp": "1699999999000"}, 0),  # now, or before: no limit was exceeded
        ({"X-Bapi-Limit-Reset-Timestamp": "soon"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
        ({"Retry-After": "259200"}, 259_200 * SECOND_NS),  # three days, the longest ban that any venue has
        ({"Retry-After": "999999999999999"}, 0),
        ({"X-Bapi-Limit-Reset-Timestamp": "170000000150000"}, 0),  # of another unit: no exit would leave until 7357
        ({"Retry-After": "999999999999999", "X-Bapi-Limit-Reset-Timestamp": "1700000001500"}, 1_500_000_000),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], expected_ns: int) -> None:
    """In the venue's clock, and never negative."""
    assert retry_after(headers, 1_700_000_000_000) == expected_ns
