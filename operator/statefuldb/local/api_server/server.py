"""The sockets: HTTPS with bearer tokens around the service, and watches."""

import asyncio
import secrets
import string
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from statefuldb.local.api_server import representation
from statefuldb.local.api_server.access import Access
from statefuldb.local.api_server.answers import answer, discovered, in_json, refused
from statefuldb.local.api_server.audit import AuditLog
from statefuldb.local.api_server.documents import document
from statefuldb.local.api_server.errors import ApiError, details_of, not_found, shown_name
from statefuldb.local.api_server.event_view import from_view
from statefuldb.local.api_server.listing import page, selector
from statefuldb.local.api_server.options import check_list, check_write, delete_options
from statefuldb.local.api_server.persistence import Persistence
from statefuldb.local.api_server.rbac import API_GROUP, FIRST_BINDINGS, FIRST_ROLES, User
from statefuldb.local.api_server.requests import Target, parse_body, parse_path
from statefuldb.local.api_server.reviews import review, token_request, token_seconds
from statefuldb.local.api_server.scale import scale_of
from statefuldb.local.api_server.service import APPLY_PATCH, Service, Write
from statefuldb.local.api_server.store import Change, Store
from statefuldb.local.api_server.watch import Watch

Json = dict[str, Any]
BODY_LIMIT_BYTES = 3_145_728
STORED_LIMIT_BYTES = 1_572_864
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
_HEALTH = ("/readyz", "/livez", "/healthz")


class ApiServer:
    """One API server on one state directory."""

    def __init__(self, state_dir: Path, token: str, audit_log: Path | None = None) -> None:
        self._persistence = Persistence(state_dir / "objects.sqlite")
        self._watches: set[Watch] = set()
        self._store = Store(lambda: str(uuid.uuid4()), self._changed)
        self._store.restore(*self._persistence.load())
        self._audit = AuditLog(audit_log)
        self._access = Access(token, self._store.objects, self._audit)
        self._service = Service(self._store)
        for kind, objects in _FIRST.items():
            for first in objects:
                if (self._store.kinds[kind].key, "", first["metadata"]["name"]) not in self._store.objects:
                    self._service.create(self._store.kinds[kind], "", first, _write("apiserver"))
        self._store.forget()
        self._service.settle(_now())

    def application(self) -> web.Application:
        """Return the HTTP application."""
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._end_watches)
        return app

    def close(self) -> None:
        """Close the file."""
        self._persistence.close()
        self._audit.close()

    def _changed(self, change: Change) -> None:
        self._persistence.save(change)
        for watch in self._watches:
            watch.put(change)
            if change.type == "DELETED" and change.address == (_DEFINITIONS, "", watch.key):
                asyncio.get_running_loop().call_later(_LINGER_SECONDS, watch.end)

    async def _end_watches(self, app: web.Application) -> None:
        for watch in list(self._watches):
            watch.end()

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
        kind, method = target.kind, request.method
        if target.subresource and target.subresource not in kind.subresources:
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
            return await self._deleted(request, target)
        return await self._written(request, target, user)

    def _document(self, request: web.Request) -> web.Response:
        if request.path.rstrip("/") in _HEALTH:
            return web.Response(text="ok")
        discovery = request.path.rstrip("/") in ("/api", "/apis")
        form = representation.form_of(request.headers.get("Accept", ""), discovery=discovery)
        found = document(request.path, form, list(self._store.kinds.values()))
        if found is None or request.method != "GET":
            return web.Response(status=404, text="404 page not found\n")
        if discovery:
            return discovered(found, form, request.headers.get("If-None-Match", ""))
        return answer(found, form)

    async def _token(self, request: web.Request, target: Target) -> web.Response:
        account = self._store.get(target.kind, target.namespace, target.name)
        raw = await request.read()
        body, _ = parse_body(raw, _content_type(request)) if raw else ({}, ())
        now = datetime.now(UTC)
        expires = (now + timedelta(seconds=token_seconds(body))).strftime(_TIME)
        made = token_request(body, account, self._access.signing_key, now.timestamp(), expires)
        return answer(made, _form(request), status=201)

    async def _review(self, request: web.Request, target: Target, user: User) -> web.Response:
        if request.method != "POST":
            text = "the server does not allow this method on the requested resource"
            raise ApiError(405, text, details=details_of(target.kind.plural, target.kind.group, ""))
        body, _ = parse_body(await request.read(), _content_type(request))
        return answer(review(target.kind, body, user, self._store.objects, _now()), _form(request), status=201)

    async def _read(self, request: web.Request, target: Target) -> web.StreamResponse:
        kind, form = target.kind, _form(request)
        if target.name and not target.legacy_watch:
            stored = self._store.get(kind, target.namespace, target.name)
            if target.subresource == "scale":
                return answer(scale_of(kind, stored), form)
            return answer(representation.one(kind, stored, form, datetime.now(UTC), _include(request)), form)
        watch = _is_watch(request, target)
        check_list(request.query, watch=watch)
        if watch:
            return await self._watch(request, target, form)
        objects, metadata = page(self._store, kind, target.namespace, request.query)
        return answer(representation.many(kind, objects, metadata, form, datetime.now(UTC), _include(request)), form)

    async def _watch(self, request: web.Request, target: Target, form: str) -> web.StreamResponse:
        query = request.query
        matches = selector(target.kind, query)
        watch = Watch(target.kind, target.namespace, matches, form, _include(request))
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

    async def _written(self, request: web.Request, target: Target, user: User) -> web.Response:
        kind, name, method = target.kind, target.name, request.method
        content_type = _content_type(request)
        raw = await request.read()
        check_write(request.query, method, apply=method == "PATCH" and content_type == APPLY_PATCH)
        if method != "POST" and not name:
            raise ApiError(400, "name must be provided")
        body: Any = None
        twice: tuple[str, ...] = ()
        if method != "PATCH" or content_type.endswith(("patch+json", "patch+yaml")):
            body, twice = parse_body(raw, content_type)  # else the service answers 415, with what this kind takes
        if method != "PATCH" and not isinstance(body, dict):
            raise ApiError(400, f"the object provided is unrecognized (must be of type {kind.kind})")
        if len(raw) > STORED_LIMIT_BYTES:
            raise ApiError(500, "etcdserver: request is too large")
        if kind.storage and isinstance(body, dict):
            body = from_view(body)
        served = self._store.kinds["", "v1", "events"] if kind.storage else kind
        write = _write(
            _writer(request),
            user=user,
            dry_run=request.query.get("dryRun") == "All",
            validation=request.query.get("fieldValidation") or "Warn",
            force=request.query.get("force") == "true",
            subresource=target.subresource,
            twice=twice,
        )
        existed = (served.key, target.namespace, name) in self._store.objects
        if method == "POST":
            existed = False
            if name:
                body = {**body, "metadata": {"name": name, **(body.get("metadata") or {})}}
            stored, warnings = self._service.create(served, target.namespace, body, write)
        elif method == "PUT":
            stored, warnings = self._service.replace(served, target.namespace, name, body, write)
        else:
            if content_type == APPLY_PATCH and not existed and not target.subresource:
                self._access.check_create(user, target)
            stored, warnings = self._service.patch(served, target.namespace, name, body, content_type, write)
        self._service.settle(write.now)
        form = _form(request)
        shown = representation.one(kind, stored, form, datetime.now(UTC), _include(request))
        return answer(shown, form, status=200 if existed else 201, warnings=warnings)

    async def _deleted(self, request: web.Request, target: Target) -> web.Response:
        kind = target.kind
        raw = await request.read()
        content_type = _content_type(request)
        options = delete_options(request.query, parse_body(raw, content_type)[0] if raw else {})
        write = _write(_writer(request), dry_run=bool(options.get("dryRun")))
        if not target.name:
            if "deletecollection" not in kind.verbs:
                text = "the server does not allow this method on the requested resource"
                raise ApiError(405, text, details=details_of(kind.plural, kind.group, ""))
            objects, metadata = page(self._store, kind, target.namespace, request.query)
            try:
                for stored in objects:
                    about = stored["metadata"]
                    self._service.delete(kind, about.get("namespace", ""), about["name"], options, write)
            finally:
                self._service.settle(write.now)
            form = _form(request)
            return answer(representation.many(kind, objects, metadata, form, datetime.now(UTC), "Metadata"), form)
        old = self._store.get(kind, target.namespace, target.name)
        kept = self._service.delete(kind, target.namespace, target.name, options, write)
        self._service.settle(write.now)
        if kept is not None:
            return answer(representation.one(kind, kept, representation.PLAIN, datetime.now(UTC)), "")
        details = {**details_of(kind.plural, kind.group, target.name), "uid": old["metadata"]["uid"]}
        done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return in_json(done)


def _is_watch(request: web.Request, target: Target | None) -> bool:
    return request.query.get("watch", "") in ("1", "true") or (target is not None and target.legacy_watch)


def _form(request: web.Request) -> str:
    return representation.form_of(request.headers.get("Accept", ""))


def _include(request: web.Request) -> str:
    return request.query.get("includeObject") or "Metadata"


def _content_type(request: web.Request) -> str:
    """Return the type of the body: the Python client sends none with JSON."""
    return request.content_type if "Content-Type" in request.headers else "application/json"


def _writer(request: web.Request) -> str:
    return request.query.get("fieldManager") or request.headers.get("User-Agent", "unknown").split("/")[0]


def _now() -> str:
    return datetime.now(UTC).strftime(_TIME)


def _write(manager: str, **more: Any) -> Write:
    suffix = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
    return Write(now=_now(), manager=manager, suffix=suffix, **more)
