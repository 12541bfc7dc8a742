"""The sockets: HTTPS with bearer tokens around the service, and watches."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from statefuldb.local.api_server.errors import ApiError, details_of, not_allowed, not_found, shown_name
from statefuldb.local.api_server.objects.scale import scale_of
from statefuldb.local.api_server.objects.store import Change, Store
from statefuldb.local.api_server.rights.rbac import API_GROUP, FIRST_BINDINGS, FIRST_ROLES, User
from statefuldb.local.api_server.rights.reviews import review, token_request, token_seconds
from statefuldb.local.api_server.service import Service
from statefuldb.local.api_server.serving import representation
from statefuldb.local.api_server.serving.access import Access
from statefuldb.local.api_server.serving.answers import answer, discovered, refused
from statefuldb.local.api_server.serving.audit import AuditLog
from statefuldb.local.api_server.serving.documents import document
from statefuldb.local.api_server.serving.headers import content_type_of, form_of, include_of
from statefuldb.local.api_server.serving.listing import page, selector
from statefuldb.local.api_server.serving.options import check_list
from statefuldb.local.api_server.serving.persistence import Persistence
from statefuldb.local.api_server.serving.requests import Target, parse_body, parse_path
from statefuldb.local.api_server.serving.watch import Watch
from statefuldb.local.api_server.serving.writing import Writing, now, write_of

Json = dict[str, Any]
BODY_LIMIT_BYTES = 3_145_728
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "statefuldb-system")
_FIRST: dict[tuple[str, str, str], tuple[Json, ...]] = {
    ("", "v1", "namespaces"): tuple({"metadata": {"name": name}} for name in _FIRST_NAMESPACES),
    (API_GROUP, "v1", "clusterroles"): FIRST_ROLES,
    (API_GROUP, "v1", "clusterrolebindings"): FIRST_BINDINGS,
}
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
# Watches of a kind outlive its definition for a moment, as on the real server: kopf 1.45 gives up for good where its
# watch ends, and is refused with 404, before it has heard that the definition is gone.
_LINGER_SECONDS = 3.0
# Discovery lists a kind a moment after its definition is told to be established, as on the real server: kopf 1.45 asks
# in between, and hears nothing more of the kind.
_UNLISTED_SECONDS = 0.05
_HEALTH = ("/readyz", "/livez", "/healthz")


class ApiServer:
    """One API server on one state directory."""

    def __init__(self, state_dir: Path, token: str, audit_log: Path | None = None) -> None:
        self._persistence = Persistence(state_dir / "objects.sqlite")
        self._watches: set[Watch] = set()
        self._unlisted: set[str] = set()
        self._store = Store(lambda: str(uuid.uuid4()), self._changed)
        self._store.restore(*self._persistence.load())
        self._audit = AuditLog(audit_log)
        self._access = Access(token, self._store.objects, self._audit)
        self._service = Service(self._store)
        self._writing = Writing(self._service, self._access)
        for kind, objects in _FIRST.items():
            for first in objects:
                if (self._store.kinds[kind].key, "", first["metadata"]["name"]) not in self._store.objects:
                    self._service.create(self._store.kinds[kind], "", first, write_of("apiserver"))
        self._store.forget()
        self._service.settle(now())

    def application(self) -> web.Application:
        """Return the HTTP application."""
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._end_watches)
        app.on_cleanup.append(self._end_calls)
        return app

    def close(self) -> None:
        """Close the file."""
        self._persistence.close()
        self._audit.close()

    def _changed(self, change: Change) -> None:
        self._persistence.save(change)
        if change.type == "ADDED" and change.address[0] == _DEFINITIONS:
            name = change.address[2]
            self._unlisted.add(name)
            asyncio.get_running_loop().call_later(_UNLISTED_SECONDS, self._unlisted.discard, name)
        for watch in self._watches:
            watch.put(change)
            if change.type == "DELETED" and change.address == (_DEFINITIONS, "", watch.key):
                asyncio.get_running_loop().call_later(_LINGER_SECONDS, watch.end)

    async def _end_watches(self, app: web.Application) -> None:
        for watch in list(self._watches):
            watch.end()

    async def _end_calls(self, app: web.Application) -> None:
        await self._writing.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            target = parse_path(request.path, self._store.kinds)
            user = self._access.user(request.headers)
            self._access.check(user, request.method, request.path, target, watch=_is_watch(request, target))
            if target is None:
                return self._document(request)
            return await self._route(request, target, user)
        except ApiError as error:
            return refused(error)
        except web.HTTPRequestEntityTooLarge:
            return refused(ApiError(413, f"Request entity too large: limit is {BODY_LIMIT_BYTES}"))

    async def _route(self, request: web.Request, target: Target, user: User) -> web.StreamResponse:
        kind = target.kind
        # Of a custom kind a real server tells the head of a reading without its body.
        method = "GET" if request.method == "HEAD" and kind.custom else request.method
        if target.subresource and target.subresource not in kind.subresources:
            if not kind.custom:
                raise ApiError(404, "the server could not find the requested resource", details={})
            raise not_found(kind.plural, kind.group, target.name)
        if target.subresource == "token" and method == "POST":
            return await self._token(request, target)
        verb = {"POST": "create", "DELETE": "delete"}.get(method, "get")
        no_such = target.subresource == "token" or (target.subresource and verb != "get")
        if method not in ("GET", "POST", "PUT", "PATCH", "DELETE") or no_such:
            shown = shown_name(kind.plural, kind.group)
            text = f'{verb} is not supported on resources of kind "{shown}"'
            raise ApiError(405, text, details=details_of(kind.plural, kind.group, ""))
        if kind.verbs == ("create",):
            return await self._review(request, target, user)
        if method == "GET":
            return await self._read(request, target)
        if method == "DELETE":
            return await self._writing.deleted(request, target, user)
        return await self._writing.written(request, target, user)

    def _document(self, request: web.Request) -> web.Response:
        if request.path.rstrip("/") in _HEALTH:
            return web.Response(text="ok")
        discovery = request.path.rstrip("/") in ("/api", "/apis")
        form = representation.form_of(request.headers.get("Accept", ""), discovery=discovery)
        listed = [kind for kind in self._store.kinds.values() if kind.key not in self._unlisted]
        found = document(request.path, form, listed)
        if found is None or request.method != "GET":
            return web.Response(status=404, text="404 page not found\n")
        if discovery:
            return discovered(found, form, request.headers.get("If-None-Match", ""))
        return answer(found, form)

    async def _token(self, request: web.Request, target: Target) -> web.Response:
        account = self._store.get(target.kind, target.namespace, target.name)
        raw = await request.read()
        body, _ = parse_body(raw, content_type_of(request)) if raw else ({}, ())
        moment = datetime.now(UTC)
        expires = (moment + timedelta(seconds=token_seconds(body))).strftime(_TIME)
        made = token_request(body, account, self._access.signing_key, moment.timestamp(), expires)
        return answer(made, form_of(request), status=201)

    async def _review(self, request: web.Request, target: Target, user: User) -> web.Response:
        if request.method != "POST":
            raise not_allowed(target.kind.plural, target.kind.group)
        body, _ = parse_body(await request.read(), content_type_of(request))
        return answer(review(target.kind, body, user, self._store.objects, now()), form_of(request), status=201)

    async def _read(self, request: web.Request, target: Target) -> web.StreamResponse:
        kind, form = target.kind, form_of(request)
        if target.name and not target.legacy_watch:
            stored = self._store.get(kind, target.namespace, target.name)
            if target.subresource == "scale":
                return answer(scale_of(kind, stored, whole=True), form)
            return answer(representation.one(kind, stored, form, datetime.now(UTC), include_of(request)), form)
        watch = _is_watch(request, target)
        check_list(request.query, watch=watch)
        if watch:
            return await self._watch(request, target, form)
        objects, metadata = page(self._store, kind, target.namespace, request.query)
        return answer(representation.many(kind, objects, metadata, form, datetime.now(UTC), include_of(request)), form)

    async def _watch(self, request: web.Request, target: Target, form: str) -> web.StreamResponse:
        query = request.query
        matches = selector(target.kind, query)
        watch = Watch(target.kind, target.namespace, matches, form, include_of(request))
        version = query.get("resourceVersion", "")
        initial = query.get("sendInitialEvents")
        if initial == "true" or (initial is None and version in ("", "0")):
            watch.begin([o for o in self._store.list(target.kind, target.namespace) if matches(o)])
            if initial == "true" and query.get("allowWatchBookmarks") == "true":
                watch.bookmark(self._store.version, end_of_initial=True)
        elif version not in ("", "0"):
            changes = self._store.since(int(version))
            if changes is None:
                watch.expire(int(version), self._store.oldest)
            for change in changes or ():
                watch.put(change)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        self._watches.add(watch)
        try:
            await response.prepare(request)
            bookmarks = query.get("allowWatchBookmarks") in ("true", "1")
            seconds = float(query.get("timeoutSeconds") or 0)
            await watch.serve(response, seconds, (lambda: self._store.version) if bookmarks else None)
            await response.write_eof()
        except ConnectionError:
            pass
        finally:
            self._watches.discard(watch)
        return response


def _is_watch(request: web.Request, target: Target | None) -> bool:
    return request.query.get("watch", "") in ("1", "true") or (target is not None and target.legacy_watch)
