"""The suite of the port on the adapter in virtual time: every test of that module, and none of its own."""

# ruff: noqa: F403 -- whatever a suite asks is asked here too, what is added to it included

import pytest

from tests.conformance.journal.test_port import *

pytestmark = pytest.mark.virtual_time
