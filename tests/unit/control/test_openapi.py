"""The document tells what is served."""

from importlib import metadata
from typing import Any

import aiohttp
import pytest

from kangbot.control import server
from tests.support.control_desk import Served

from .conftest import got


async def test_the_document_tells_what_is_served_and_nothing_else(
    served: Served, client: aiohttp.ClientSession
) -> None:
    """OpenAPI 3.1; each command says what repeating it does; every reference leads somewhere."""
    document = await got(client, "/openapi.json")
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {"/live", "/ready", "/report", "/kill", "/stream", "/orders", "/login"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"]
            assert (method == "post") == ("description" in operation), path
            for status in operation["responses"]:
                assert 100 <= int(status) < 504
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


async def test_the_version_is_that_which_runs(
    served: Served, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a daemon that runs for months another is installed, or this one removed."""
    began = metadata.version("kangbot")

    def removed(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", removed)
    monkeypatch.setattr(server, "version", removed)
    assert (await got(client, "/openapi.json"))["info"]["version"] == began


def references(value: Any) -> list[str]:
    """Return every `$ref` in the document."""
    if isinstance(value, dict):
        return [inner for key, inner in value.items() if key == "$ref"] + [
            found for inner in value.values() for found in references(inner)
        ]
    return [found for inner in value for found in references(inner)] if isinstance(value, list) else []


async def test_each_operation_says_who_may_what_it_takes_and_how_it_may_end(
    served: Served, client: aiohttp.ClientSession
) -> None:
    """A token where one is needed; names in the path; a body that may be left out where nothing in it must be said."""
    paths = (await got(client, "/openapi.json"))["paths"]
    live, health, kill = paths["/live"]["get"], paths["/health"]["get"], paths["/kill"]["post"]
    assert "security" not in live
    assert health["security"] == kill["security"] == [{"token": []}]
    assert health["responses"]["503"]["content"] == health["responses"]["200"]["content"]
    assert set(kill["responses"]) == {"200", "400", "401", "403", "413", "415", "429", "503"}
    assert kill["requestBody"]["required"] is False
    assert paths["/isolate-circuit-breaker/{market}"]["post"]["requestBody"]["required"] is True
    bars = paths["/markets/{market}/bars"]["get"]["parameters"]
    assert [(one["name"], one["in"], one["required"]) for one in bars] == [
        ("market", "path", True),
        ("limit", "query", False),
        ("offset", "query", False),
    ]
