"""What the journal knows of the mode, the venue and the balance that it was begun with."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from kangbot.errors import NeedsHuman
from kangbot.model.events import CashFlowApplied, Noted, Severity
from kangbot.model.ids import ExecutionId, MarketId, VenueName
from kangbot.model.orders import CashFlow
from kangbot.modes import MODE_NOTED, Past
from kangbot.modes import noted as noted_in
from kangbot.risk.account import NEW_BALANCE
from kangbot.settings import Mode, Settings
from kangbot.settings.kinds import Secret
from kangbot.settings.trading import Market, Paper
from kangbot.settings.venues import Bybit, Venues
from tests.support.trade_words import START

BYBIT = Bybit(key=Secret("the-key"), secret=Secret("the-secret"))


def settings(mode: Mode, bybit: Bybit = BYBIT) -> Settings:
    """Return settings of that mode with a key."""
    return Settings(mode=mode, venues=Venues(bybit=bybit), paper=Paper(balance=Decimal(777)))


def noted(mode: str) -> Noted:
    """Return the journal's word on its mode."""
    return Noted(kind=MODE_NOTED, severity=Severity.INFO, market=None, message=mode, at_ns=START)


def test_a_journal_stays_at_its_venue() -> None:
    """What was held at one venue is held nowhere at another; a journal that names no venue is Bybit's."""
    here = settings("paper")
    there = Settings(mode="paper", markets=(Market(symbol="BTC/USDT:USDT", venue="binance_usdm"),))
    for begun, other in ((here, there), (there, here)):
        past = Past(begun.venue)
        past.observe(noted_in(begun, START))
        past.check(begun)
        with pytest.raises(NeedsHuman, match=f"begun in mode paper at {begun.venue}"):
            past.check(other)
    old = Past(VenueName("bybit"))
    old.observe(noted("paper"))
    old.check(here)
    with pytest.raises(NeedsHuman):
        old.check(there)


def test_a_journal_stays_in_its_mode() -> None:
    """Paper positions are not taken to a real account, nor real ones onto paper; an old journal belongs to nobody."""
    past = Past(VenueName("bybit"))
    past.check(settings("live"))
    past.observe(noted("paper"))
    past.observe(msgspec.structs.replace(noted("live"), kind="daemon.stopped"))
    past.check(settings("paper"))
    with pytest.raises(NeedsHuman) as refused:
        past.check(settings("live"))
    assert "begun in mode paper" in refused.value.message


def test_the_balance_of_an_account_on_paper_is_told_and_told_again_where_it_is_another() -> None:
    """Over a checkpoint; a journal from before these words is told once, and loses count of nothing by it."""
    rich, poor = settings("paper"), replace(settings("paper"), paper=Paper(balance=Decimal(500)))
    past = Past(VenueName("bybit"))
    past.observe(noted_in(rich, START))
    for chosen, kinds in (
        (rich, ["paper.balance"]),
        (rich, []),
        (poor, [NEW_BALANCE]),
        (poor, []),
        (rich, [NEW_BALANCE]),
    ):
        told = list(past.news(chosen, START))
        assert [note.kind for note in told] == kinds
        assert all(f"{chosen.paper.balance} USDT" in note.message for note in told)
        assert {note.severity for note in told} <= {Severity.INFO}
        assert all(note.fields == {"balance": f"{chosen.paper.balance}"} for note in told)
        if kinds == [NEW_BALANCE]:
            other = rich if chosen is poor else poor
            assert f"no longer {other.paper.balance}:" in told[0].message
        for note in told:
            past.observe(note)
        after = Past(VenueName("bybit"))
        after.resume(past.checkpoint())
        past = after


def test_a_new_journal_is_told_where_it_begins() -> None:
    """Of a balance on paper alone: elsewhere it is the venue's to tell."""
    assert [note.kind for note in Past(VenueName("bybit")).news(settings("paper"), START)] == [
        MODE_NOTED,
        "paper.balance",
    ]
    assert [note.kind for note in Past(VenueName("bybit")).news(settings("sandbox"), START)] == [MODE_NOTED]


def test_what_a_journal_was_begun_with_and_came_to_outlives_the_events() -> None:
    """A checkpoint stands for them: where it was, and what the account of that venue had gained."""
    there = Settings(mode="paper", markets=(Market(symbol="BTC/USDT:USDT", venue="binance_usdm"),))
    past = Past(there.venue)
    past.observe(noted_in(there, START))
    for venue, amount in (("binance_usdm", -3), ("bybit", 50)):
        flow = CashFlow(
            market=MarketId(f"{venue}:BTC-USDT:USDT"),
            execution_id=ExecutionId("1"),
            kind="Funding",
            amount=Decimal(amount),
            currency="USDT",
            at_ns=START,
        )
        past.observe(CashFlowApplied(flow=flow, at_ns=START))
    after = Past(there.venue)
    after.resume(past.checkpoint())
    for one in (past, after):
        one.check(there)
        assert one.ledger.coins == {"USDT": Decimal(-3)}
        with pytest.raises(NeedsHuman, match="begun in mode paper at binance_usdm"):
            one.check(settings("paper"))
