"""HTTP answers: JSON or YAML, with warnings or an entity tag."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import yaml
from aiohttp import web

from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.serving.representation import DISCOVERY, DISCOVERY_TYPE, YAML

Json = dict[str, Any]


def answer(body: Json, form: str, *, status: int = 200, warnings: list[str] | None = None) -> web.Response:
    """Return an object or document in the form that was asked for."""
    if form == YAML:
        text = yaml.safe_dump(body, default_flow_style=False)
        response = web.Response(body=text.encode(), status=status, content_type="application/yaml")
    else:
        response = in_json(body, status)
    return _warned(response, warnings or ())


def in_json(body: Json, status: int = 200, warnings: Sequence[str] = ()) -> web.Response:
    """Return a JSON answer. Its type names no charset, as on the real server."""
    response = web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")
    return _warned(response, warnings)


def discovered(body: Json, form: str, known: str) -> web.Response:
    """Return a discovery document with its tag, or 304 where the client has it already."""
    text = json.dumps(body)
    tag = f'"{hashlib.sha512(text.encode()).hexdigest().upper()}"'
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "public"}
    if known == tag:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = DISCOVERY_TYPE if form == DISCOVERY else "application/json"
    return web.Response(body=text.encode(), headers=headers)


def refused(error: ApiError) -> web.Response:
    """Return an error as a Status."""
    return in_json(error.status(), error.code, error.warnings)


def _warned(response: web.Response, warnings: Sequence[str]) -> web.Response:
    for warning in warnings:
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response
