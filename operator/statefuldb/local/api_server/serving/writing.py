"""Requests that write: read, carried out, and shown, with what webhooks have to say asked in between."""

import secrets
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web

from statefuldb.local.api_server.admission.webhooks import NeedsReview
from statefuldb.local.api_server.errors import ApiError, conflict, details_of, not_allowed
from statefuldb.local.api_server.objects.event_view import from_view
from statefuldb.local.api_server.rights.rbac import User
from statefuldb.local.api_server.service import APPLY_PATCH, Service
from statefuldb.local.api_server.serving import representation
from statefuldb.local.api_server.serving.access import Access
from statefuldb.local.api_server.serving.answers import answer, in_json
from statefuldb.local.api_server.serving.headers import content_type_of, form_of, include_of
from statefuldb.local.api_server.serving.listing import page
from statefuldb.local.api_server.serving.options import check_write, delete_options
from statefuldb.local.api_server.serving.requests import Target, parse_body, unsupported_type
from statefuldb.local.api_server.serving.webhook_calls import WebhookCalls
from statefuldb.local.api_server.storing.writes import Write

Json = dict[str, Any]
STORED_LIMIT_BYTES = 1_572_864
# Kinds of which a deletion tells the object that it has removed.
_TOLD_WHOLE = ("serviceaccounts", "services")
# How often a write is asked about anew, because what is stored has changed while webhooks were asked.
_ATTEMPTS = 5
Outcome = TypeVar("Outcome")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Writing:
    """Writes on one service."""

    def __init__(self, service: Service, access: Access) -> None:
        self._service = service
        self._store = service.store
        self._access = access
        self._webhooks = WebhookCalls(lambda namespace, name: self._store.objects.get(("services", namespace, name)))

    async def close(self) -> None:
        """Close connections to webhooks."""
        await self._webhooks.close()

    async def written(self, request: web.Request, target: Target, user: User) -> web.Response:
        """Create, replace or patch. Raises ApiError."""
        kind, name, method = target.kind, target.name, request.method
        content_type = content_type_of(request)
        body, twice = await self._body(request, target, content_type)
        served = self._store.kinds["", "v1", "events"] if kind.storage else kind
        write = write_of(
            _writer(request),
            user=user,
            dry_run=request.query.get("dryRun") == "All",
            validation=request.query.get("fieldValidation") or "Warn",
            force=request.query.get("force") == "true",
            subresource=target.subresource,
            twice=twice,
        )

        def carry_out(write: Write) -> tuple[Json, list[str], bool]:
            """Return what is stored, warnings, and whether it is new."""
            existed = (served.key, target.namespace, name) in self._store.objects
            if method == "POST":
                return *self._service.create(served, target.namespace, body, write), True
            if method == "PUT":
                return *self._service.replace(served, target.namespace, name, body, write), not existed
            if content_type == APPLY_PATCH and not existed and not target.subresource:
                self._access.check_create(user, target)
            return *self._service.patch(served, target.namespace, name, body, content_type, write), not existed

        (stored, warnings, new), said = await self._reviewed(target, write, carry_out)
        self._service.settle(write.now)
        form = form_of(request)
        shown = representation.one(kind, stored, form, datetime.now(UTC), include_of(request))
        return answer(shown, form, status=201 if new else 200, warnings=[*warnings, *said])

    async def deleted(self, request: web.Request, target: Target, user: User) -> web.Response:
        """Delete an object, or those of a collection. Raises ApiError."""
        kind = target.kind
        raw = await request.read()
        options = delete_options(request.query, parse_body(raw, content_type_of(request))[0] if raw else None)
        write = write_of(_writer(request), user=user, dry_run=bool(options.get("dryRun")))
        if not target.name:
            return await self._deleted_all(request, target, options, write)
        old = self._store.get(kind, target.namespace, target.name)
        kept, said = await self._reviewed(
            *(target, write), lambda write: self._service.delete(kind, target.namespace, target.name, options, write)
        )
        self._service.settle(write.now)
        if kept is None and kind.key in _TOLD_WHOLE:
            version = old["metadata"]["resourceVersion"] if write.dry_run else str(self._store.version)
            kept, waits = {**old, "metadata": {**old["metadata"], "resourceVersion": version}}, False
        else:
            waits = kept is not None
        if kept is not None:
            shown = representation.one(kind, kept, representation.PLAIN, datetime.now(UTC))
            cascades = options.get("orphanDependents") is False
            return answer(shown, "", status=202 if waits and cascades else 200, warnings=said)
        details = {**details_of(kind.plural, kind.group, target.name), "uid": old["metadata"]["uid"]}
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return in_json(done, warnings=said)

    async def _deleted_all(self, request: web.Request, target: Target, options: Json, write: Write) -> web.Response:
        kind = target.kind
        if "deletecollection" not in kind.verbs:
            raise not_allowed(kind.plural, kind.group)
        objects, metadata = page(self._store, kind, target.namespace, request.query)
        warnings: list[str] = []
        try:
            for about in [stored["metadata"] for stored in objects]:
                namespace, name = about.get("namespace", ""), about["name"]

                def delete(write: Write, namespace: str = namespace, name: str = name) -> Json | None:
                    return self._service.delete(kind, namespace, name, options, write)

                warnings += (await self._reviewed(target, replace(write, of_many=True), delete))[1]
        finally:
            self._service.settle(write.now)
        form = form_of(request)
        shown = representation.many(kind, objects, metadata, form, datetime.now(UTC), "Metadata")
        return answer(shown, form, warnings=warnings)

    async def _body(self, request: web.Request, target: Target, content_type: str) -> tuple[Any, tuple[str, ...]]:
        """Return the body, and the fields that it has twice. Raises ApiError."""
        kind, name, method = target.kind, target.name, request.method
        raw = await request.read()
        check_write(request.query, method, apply=method == "PATCH" and content_type == APPLY_PATCH)
        if method != "POST" and not name and not kind.custom:
            raise not_allowed(kind.plural, kind.group)
        if method == "POST" and name and not kind.custom:
            raise ApiError(405, "the server does not allow this method on the requested resource", details={})
        if method != "POST" and not name:
            raise ApiError(400, "name must be provided")
        body: Any = None
        twice: tuple[str, ...] = ()
        if method != "PATCH" and content_type.endswith(("patch+json", "patch+yaml")):
            raise unsupported_type()
        if method != "PATCH" or content_type.endswith(("patch+json", "patch+yaml")):
            body, twice = parse_body(raw, content_type)  # else the service answers 415, with what this kind takes
        if method != "PATCH" and not isinstance(body, dict):
            raise ApiError(400, f"the object provided is unrecognized (must be of type {kind.kind})")
        if len(raw) > STORED_LIMIT_BYTES:
            raise ApiError(500, "etcdserver: request is too large")
        if kind.storage and isinstance(body, dict):
            body = from_view(body)
        if method == "POST" and name:
            body = {**body, "metadata": {"name": name, **(body.get("metadata") or {})}}
        return body, twice

    async def _reviewed(
        self, target: Target, write: Write, act: Callable[[Write], Outcome]
    ) -> tuple[Outcome, list[str]]:
        """Carry a write out once all webhooks that it concerns agree to just that; return their warnings too."""
        warnings: list[str] = []
        for _ in range(_ATTEMPTS):
            try:
                return act(write), warnings
            except NeedsReview as needed:
                # Others write meanwhile: what was agreed to holds for what was stored then, and for nothing else.
                warnings = await self._webhooks.ask(needed.calls)
                write = replace(write, reviewed=needed.about)
        raise conflict(target.kind.plural, target.kind.group, target.name)


def write_of(manager: str, **more: Any) -> Write:
    """Return what surrounds a write that begins now."""
    suffix = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
    return Write(now=now(), manager=manager, suffix=suffix, **more)


def now() -> str:
    """Return the present time as the API writes it."""
    return datetime.now(UTC).strftime(_TIME)


def _writer(request: web.Request) -> str:
    return request.query.get("fieldManager") or request.headers.get("User-Agent", "unknown").split("/")[0]
