"""A refusal of the venue's."""

import pytest

from kangbot.errors import Refused
from kangbot.sim.exchange.refusal import Reason, RequestRefused


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_is_definitive_and_carries_its_reason_as_its_code(reason: Reason) -> None:
    """Whoever knows nothing of this venue reads the code."""
    refused = RequestRefused(reason, "why")
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.code, refused.message) == (reason, reason.value, "why")
