"""A market that holds a position and whose streams fall silent."""

from kangbot.ports import Channel
from tests.support.floor_story import Story
from tests.support.trade_words import instrument


def fall_silent(told: Story, channel: Channel) -> None:
    """Have the stream of that channel be down."""
    told.feeds.tell(channel, instrument(), live=False)


def flow(told: Story, channel: Channel) -> None:
    """Have it be live again."""
    told.feeds.tell(channel, instrument(), live=True)


async def hold(told: Story) -> None:
    """Go live and enter."""
    await told.live()
    told.strategy.want(1)
    await told.bar()
    assert told.venue.net == 2


def seen(told: Story) -> list[int]:
    """Return when the bars opened that the strategy was shown."""
    return told.strategy.made[-1].opened
