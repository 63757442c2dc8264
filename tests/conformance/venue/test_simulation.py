"""The suites of the port on the adapters in virtual time: every test of those modules, and none of its own."""

# ruff: noqa: F403 -- whatever a suite asks is asked here too, what is added to it included

import pytest

from tests.conformance.venue.test_markets import *
from tests.conformance.venue.test_network import *
from tests.conformance.venue.test_port import *
from tests.conformance.venue.test_transfers import *

pytestmark = pytest.mark.virtual_time
