"""The API against its own document: schemathesis reads /openapi.json and sends what it allows and what it does not.

Each answer must be one that the document names, in its form; nothing may be a fault of ours.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.control_desk import Served, serving

pytestmark = pytest.mark.process

SEED = "20261127"
EXAMPLES = 15  # of each operation and phase
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth,unsupported_method,negative_data_rejection"
)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server over both doors."""
    async with serving(tmp_path) as it:
        it.desk.broken = False  # or its health is a 503, which is told and yet looks like a fault
        yield it


async def test_no_answer_is_outside_of_the_document(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is sent: no 5xx but the documented ones, no address without its token."""
    fuzzing = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        f"{served.url}/openapi.json",
        "--header",
        f"Authorization: Bearer {served.control}",
        "--checks",
        CHECKS,
        "--max-examples",
        str(EXAMPLES),
        "--phases",
        "examples,coverage,fuzzing",
        "--seed",
        SEED,
        "--generation-database",
        "none",
        "--exclude-path",
        "/login",  # it would lock us out, as it should
        "--no-color",
        "--continue-on-failure",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await fuzzing.communicate()
    assert fuzzing.returncode == 0, said.decode()
    tried = re.search(rb"(\d+) generated", said)
    assert tried is not None
    assert int(tried[1]) > 500
    assert served.desk.obeyed, "not one command got through: nothing was tried"
    assert "control.fault" not in capsys.readouterr().out
