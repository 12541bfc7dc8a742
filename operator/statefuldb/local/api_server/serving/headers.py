"""What a request says, in its headers and its query, of its body and of the answer that it wants."""

from aiohttp import web

from statefuldb.local.api_server.serving import representation


def form_of(request: web.Request) -> str:
    """Return the form of the answer."""
    return representation.form_of(request.headers.get("Accept", ""))


def include_of(request: web.Request) -> str:
    """Return how much of each object a table is to have beside its cells."""
    return request.query.get("includeObject") or "Metadata"


def content_type_of(request: web.Request) -> str:
    """Return the type of the body: the Python client sends none with JSON."""
    return request.content_type if "Content-Type" in request.headers else "application/json"
