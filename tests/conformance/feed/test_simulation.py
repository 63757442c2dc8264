"""The suites of the port on the adapters in virtual time: every test of those modules, and none of its own."""

# ruff: noqa: F403 -- whatever a suite asks is asked here too, what is added to it included

import pytest

from tests.conformance.feed.test_account import *
from tests.conformance.feed.test_bars import *
from tests.conformance.feed.test_port import *
from tests.conformance.feed.test_reconnect import *

pytestmark = pytest.mark.virtual_time
