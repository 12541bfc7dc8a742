"""Reading a call from a request, and what a master answers to a request that holds none, in its words."""

import json
from typing import Any

from aiohttp import web

from statefuldb.local.mesos.master import requests
from statefuldb.local.mesos.master.authentication import PRINCIPAL

Json = dict[str, Any]
# What comes of a body whose parts are of other types than the protocol's.
UNCONVERTIBLE = (AttributeError, KeyError, TypeError, ValueError)


async def parsed(request: web.Request) -> Json | web.Response:
    """Return the call in a request, or the answer to a request that holds none."""
    if "Content-Type" not in request.headers:
        return bad("Expecting 'Content-Type' to be present")
    if request.headers["Content-Type"] != "application/json":
        text = "Expecting 'Content-Type' of application/json or application/x-protobuf"
        return web.Response(status=415, text=text)
    body = await request.text()
    try:
        call = json.loads(body)
    except json.JSONDecodeError as error:
        near = body[error.pos :].partition("\n")[0]
        return bad(f"Failed to parse body into JSON: syntax error at line {error.lineno} near: {near}")
    except RecursionError:
        return bad("Failed to parse body into JSON: it is nested too deeply")
    if not isinstance(call, dict):
        return bad("Failed to convert JSON into Call protobuf: Expecting a JSON object")
    return call


def refusal(request: web.Request, call: Json) -> web.Response | None:
    """Return the answer to a SUBSCRIBE that cannot even be refused on a stream, or None."""
    reason = requests.unconvertible(call)
    if reason is not None:
        return bad(f"Failed to convert JSON into Call protobuf: {reason}")
    reason = requests.invalid(call, request[PRINCIPAL])
    if reason is not None:
        return bad(f"Failed to validate scheduler::Call: {reason}")
    accepted = request.headers.get("Accept", "*/*")
    if not any(kind in accepted for kind in ("*/*", "application/*", "application/json")):
        text = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'"
        return web.Response(status=406, text=text)
    if "Mesos-Stream-Id" in request.headers:
        return bad("Subscribe calls should not include the 'Mesos-Stream-Id' header")
    return None


async def only_post(request: web.Request) -> web.Response:
    """Answer a request that is no POST."""
    text = f"405 Method Not Allowed. Expecting one of {{ 'POST' }}, but received '{request.method}'."
    return web.Response(status=405, text=text, headers={"Allow": "POST"})


def bad(text: str) -> web.Response:
    """Return the answer to a request that is not understood."""
    return web.Response(status=400, text=text)
