"""What `ports.Venue` promises of keys, addresses and connections, asked of every adapter that has them."""

import pytest

from kangbot.errors import NeedsHuman, Retryable
from tests.support.venue_bench import WireBench


async def test_a_wrong_key_is_a_matter_for_a_person(wire: WireBench) -> None:
    """So is a wrong secret: the signature does not hold."""
    for wrong in ({"key": "nobody"}, {"secret": "forgotten"}):
        stranger = wire.stranger(**wrong)
        with pytest.raises(NeedsHuman) as caught:
            await stranger.balances()
        assert caught.value.remedy
        with pytest.raises(NeedsHuman):
            await stranger.submit(wire.linear, wire.intent(wire.linear))
    assert await wire.venue.positions() == []


async def test_an_unreachable_venue_got_nothing(wire: WireBench) -> None:
    """No connection: even an order may be sent again as it is."""
    nowhere = wire.stranger(rest_url="http://127.0.0.1:9")
    for call in (nowhere.submit(wire.linear, wire.intent(wire.linear)), nowhere.positions()):
        with pytest.raises(Retryable):
            await call


async def test_closing_is_closing_however_often(wire: WireBench) -> None:
    """No socket stays open (warnings are errors here), and a later call says that nothing left."""
    venue = wire.stranger()
    await venue.balances()
    await venue.aclose()
    await venue.aclose()
    with pytest.raises(Retryable):
        await venue.balances()


async def test_a_question_with_a_clock_that_is_off_may_be_asked_again(wire: WireBench) -> None:
    """Each question is stamped as well; nothing can have happened."""
    with pytest.raises(Retryable):
        await wire.late().balances()
