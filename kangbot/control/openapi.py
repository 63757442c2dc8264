"""The OpenAPI 3.1 document, made from the routes and their types: what is served and what is told cannot differ."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from kangbot.control.access import Access
from kangbot.control.answers import Failure
from kangbot.control.route import Nothing, Route

_JSON = "application/json"
_REF = "#/components/schemas/{name}"
_WHO = {
    Access.READ: {401: "No token, or not one of the daemon's.", 429: "Too many wrong tokens from this address."},
    Access.CONTROL: {
        401: "No token, or not one of the daemon's.",
        403: "The token may look and not command.",
        429: "Too many wrong tokens from this address.",
    },
    Access.OPEN: {},
}
_BODY = {400: "The body is not what this takes.", 413: "The body is too large.", 415: "The body is not JSON."}


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the document."""
    types = [Failure, *(kind for route in routes for kind in _types(route))]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(_key, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kangbot control API",
            "version": version,
            "description": "Look at a trading daemon and command it. Nothing here moves funds or loads code.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _key(kind: object) -> str:
    return repr(kind)


def _types(route: Route) -> tuple[object, ...]:
    return (route.returns, route.body, route.query) if route.media == _JSON else (route.body, route.query)


def _operation(route: Route, schemas: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    schema = schemas[_key(route.returns)] if route.media == _JSON else {"type": "string"}
    plain: dict[str, Any] = {"description": "As asked.", "content": {route.media: {"schema": schema}}}
    if route.status == 101:
        plain = {"description": route.media}  # a conversation, which has no body
    operation: dict[str, Any] = {
        "operationId": _id(route),
        "summary": route.summary,
        "responses": {
            str(route.status): plain,
            **{str(status): {**plain, "description": words} for status, words in route.same.items()},
            **{str(status): _failed(words, schemas) for status, words in sorted(_failures(route).items())},
        },
    }
    if route.note:
        operation["description"] = route.note
    if route.access is not Access.OPEN:
        operation["security"] = [{"token": []}]
    if parameters := [*_in_path(route), *_in_query(route, components)]:
        operation["parameters"] = parameters
    if route.method == "POST":
        required = any(field.required for field in msgspec.structs.fields(route.body))
        schema = schemas[_key(route.body)]
        operation["requestBody"] = {"required": required, "content": {_JSON: {"schema": schema}}}
    return operation


def _failures(route: Route) -> dict[int, str]:
    own = dict(route.also)
    if route.method == "POST":
        own = _BODY | own
    elif route.query is not Nothing:
        own = {400: "The query is not what this takes."} | own
    elif route.method == "GET":
        own = {400: "A query that this does not take."} | own
    return _WHO[route.access] | own


def _failed(words: str, schemas: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "content": {_JSON: {"schema": schemas[_key(Failure)]}}}


def _in_path(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _in_query(route: Route, components: dict[str, Any]) -> list[dict[str, Any]]:
    properties: dict[str, Any] = components[route.query.__name__]["properties"] if route.query is not Nothing else {}
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in properties.items()]


def _id(route: Route) -> str:
    words = re.sub(r"\W+", "_", route.path).strip("_") or "root"
    return f"{route.method.lower()}_{words}"
