"""The sockets: HTTPS with bearer tokens around the service, and watches."""

import hmac
import json
import secrets
import string
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from statefuldb.local.api_server import discovery
from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.persistence import Persistence
from statefuldb.local.api_server.requests import Target, parse_body, parse_path
from statefuldb.local.api_server.selectors import field_selector, label_selector
from statefuldb.local.api_server.service import Service, Write
from statefuldb.local.api_server.store import Change, Store
from statefuldb.local.api_server.tables import table
from statefuldb.local.api_server.watch import Watch

Json = dict[str, Any]
BODY_LIMIT_BYTES = 3_145_728
_PUBLIC = ("/readyz", "/livez", "/healthz", "/version", "/version/")
_FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "statefuldb-system")


class ApiServer:
    """One API server on one state directory."""

    def __init__(self, state_dir: Path, token: str) -> None:
        self._token = token
        self._persistence = Persistence(state_dir / "objects.sqlite")
        self._watches: set[Watch] = set()
        self._store = Store(lambda: str(uuid.uuid4()), self._changed)
        self._store.restore(*self._persistence.load())
        self._service = Service(self._store)
        self._make_namespaces()

    def application(self) -> web.Application:
        """Return the HTTP application."""
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_shutdown.append(self._end_watches)
        return app

    def close(self) -> None:
        """Close the file."""
        self._persistence.close()

    def _changed(self, change: Change) -> None:
        self._persistence.save(change)
        for watch in self._watches:
            watch.put(change)

    def _make_namespaces(self) -> None:
        kind = self._store.kinds["", "v1", "namespaces"]
        for name in _FIRST_NAMESPACES:
            if (kind.key, "", name) not in self._store.objects:
                self._service.create(kind, "", {"metadata": {"name": name}}, _write("apiserver"))

    async def _end_watches(self, app: web.Application) -> None:
        for watch in list(self._watches):
            watch.end()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            self._authenticate(request)
            return await self._route(request)
        except ApiError as error:
            return web.json_response(error.status(), status=error.code)

    def _authenticate(self, request: web.Request) -> None:
        if request.path in _PUBLIC:
            return
        given = request.headers.get("Authorization", "")
        if not given:
            text = f'forbidden: User "system:anonymous" cannot {request.method.lower()} path "{request.path}"'
            raise ApiError(403, text)
        if not hmac.compare_digest(given, f"Bearer {self._token}"):
            raise ApiError(401, "Unauthorized")

    async def _route(self, request: web.Request) -> web.StreamResponse:
        target = parse_path(request.path, self._store.kinds)
        if target is None:
            return self._document(request)
        match request.method:
            case "GET":
                return await self._read(request, target)
            case "POST" | "PUT" | "PATCH":
                return await self._written(request, target)
            case "DELETE":
                return await self._deleted(request, target)
            case _:
                raise ApiError(405, "the server does not allow this method on the requested resource")

    def _document(self, request: web.Request) -> web.Response:
        """Answer what is not about objects: health, version, discovery, OpenAPI, reviews."""
        path = request.path.rstrip("/")
        kinds = list(self._store.kinds.values())
        parts = path.strip("/").split("/")
        if path in ("/readyz", "/livez", "/healthz"):
            return web.Response(text="ok")
        if request.method == "POST" and path.endswith("selfsubjectaccessreviews"):
            return web.json_response(
                {
                    "kind": "SelfSubjectAccessReview",
                    "apiVersion": "authorization.k8s.io/v1",
                    "metadata": {},
                    "spec": {},
                    "status": {"allowed": True},
                },
                status=201,
            )
        body: Json | None = None
        if path == "/version":
            body = {"major": "1", "minor": "32", "gitVersion": "v1.32.0+statefuldb", "platform": "linux/amd64"}
        elif path == "/api":
            body = discovery.api_versions()
        elif path == "/apis":
            body = discovery.group_list(kinds)
        elif path == "/openapi/v3":
            body = discovery.openapi_index(kinds)
        elif path.startswith("/openapi/v3/") and len(parts) >= 4:
            body = discovery.openapi_document("/".join(parts[3:]), kinds)
        elif parts[0] == "apis" and len(parts) == 2 and any(k.group == parts[1] for k in kinds):
            body = discovery.group(parts[1], kinds)
        elif parts[0] in ("api", "apis"):
            version = "/".join(parts[1:])
            if any(kind.api_version == version for kind in kinds):
                body = discovery.resource_list(version, kinds)
        if body is None:
            return web.Response(status=404, text="404 page not found\n")
        return web.json_response(body)

    async def _read(self, request: web.Request, target: Target) -> web.StreamResponse:
        if target.name:
            stored = self._store.get(target.kind, target.namespace, target.name)
            if target.subresource == "scale":
                return web.json_response(self._service.scale_of(target.kind, stored))
            return self._answer(request, target, stored)
        matches = self._selector(request, target)
        if request.query.get("watch", "") in ("1", "true"):
            return await self._watch(request, target, matches)
        objects = [o for o in self._store.list(target.kind, target.namespace) if matches(o)]
        return self._listed(request, target, objects)

    def _selector(self, request: web.Request, target: Target) -> Any:
        tests = []
        if request.query.get("labelSelector"):
            tests.append(label_selector(request.query["labelSelector"]))
        if request.query.get("fieldSelector"):
            tests.append(field_selector(request.query["fieldSelector"], target.kind.plural))
        return lambda o: all(test(o) for test in tests)

    def _listed(self, request: web.Request, target: Target, objects: list[Json]) -> web.Response:
        metadata: Json = {"resourceVersion": str(self._store.version)}
        limit, begin = int(request.query.get("limit", 0) or 0), request.query.get("continue", "")
        if begin:
            after = _position(begin)
            objects = [o for o in objects if _place(o) > after]
        if limit and len(objects) > limit and request.query.get("resourceVersion") != "0":
            metadata["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
            metadata["continue"] = json.dumps(_place(objects[-1])).encode().hex()
        if "as=Table" in request.headers.get("Accept", ""):
            include = request.query.get("includeObject", "Metadata")
            return web.json_response(table(target.kind, objects, metadata, datetime.now(UTC), include=include))
        kind = target.kind
        return web.json_response(
            {"apiVersion": kind.api_version, "kind": f"{kind.kind}List", "metadata": metadata, "items": objects}
        )

    async def _watch(self, request: web.Request, target: Target, matches: Any) -> web.StreamResponse:
        watch = Watch(target.kind, target.namespace, matches, as_table="as=Table" in request.headers.get("Accept", ""))
        version = request.query.get("resourceVersion", "")
        if version and not version.isdigit():
            raise ApiError(500, f"strconv.ParseUint: parsing {version!r}: invalid syntax")
        initial = request.query.get("sendInitialEvents") == "true"
        bookmarks = request.query.get("allowWatchBookmarks") == "true"
        if initial or version in ("", "0"):
            watch.begin([o for o in self._store.list(target.kind, target.namespace) if matches(o)])
            if initial:
                watch.bookmark(self._store.version, end_of_initial=True)
        else:
            changes = self._store.since(int(version))
            if changes is None:
                watch.expire(int(version), self._store.history[0].version)
            else:
                for change in changes:
                    watch.put(change)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        self._watches.add(watch)
        try:
            await response.prepare(request)
            seconds = float(request.query.get("timeoutSeconds", 0) or 0)
            await watch.serve(response, seconds, (lambda: self._store.version) if bookmarks else None)
            await response.write_eof()
        except ConnectionError:
            pass
        finally:
            self._watches.discard(watch)
        return response

    async def _written(self, request: web.Request, target: Target) -> web.Response:
        content_type = request.content_type if "Content-Type" in request.headers else "application/json"
        body = parse_body(await request.text(), content_type)
        write = self._write_of(request, target)
        if request.method == "POST":
            if target.name:
                raise ApiError(405, "the server does not allow this method on the requested resource")
            stored, warnings = self._service.create(target.kind, target.namespace, body, write)
            return self._answer(request, target, stored, status=201, warnings=warnings)
        if not isinstance(body, dict) and request.method == "PUT":
            raise ApiError(400, "the body must be an object")
        address = (target.kind.key, target.namespace, target.name)
        existed = address in self._store.objects
        if request.method == "PUT":
            stored, warnings = self._service.replace(target.kind, target.namespace, target.name, body, write)
        else:
            if content_type == "application/apply-patch+yaml" and "fieldManager" not in request.query:
                raise ApiError(422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value')
            stored, warnings = self._service.patch(
                target.kind, target.namespace, target.name, body, content_type, write
            )
        return self._answer(request, target, stored, status=200 if existed else 201, warnings=warnings)

    async def _deleted(self, request: web.Request, target: Target) -> web.Response:
        options = parse_body(await request.text(), "application/json") or {}
        write = self._write_of(request, target, dry_run=bool(options.get("dryRun")))
        kind = target.kind
        if not target.name:
            matches = self._selector(request, target)
            objects = [o for o in self._store.list(kind, target.namespace) if matches(o)]
            for stored in objects:
                metadata = stored["metadata"]
                self._service.delete(kind, metadata.get("namespace", ""), metadata["name"], {}, write)
            return self._listed(request, target, objects)
        old = self._store.get(kind, target.namespace, target.name)
        kept = self._service.delete(kind, target.namespace, target.name, options, write)
        self._service.settle(write.now)
        if kept is not None:
            return web.json_response(kept)
        details = {"name": target.name, "group": kind.group, "kind": kind.plural, "uid": old["metadata"]["uid"]}
        return web.json_response(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    def _write_of(self, request: web.Request, target: Target, *, dry_run: bool = False) -> Write:
        agent = request.headers.get("User-Agent", "unknown").split("/")[0]
        return _write(
            request.query.get("fieldManager", agent),
            dry_run=dry_run or request.query.get("dryRun") == "All",
            strict=request.query.get("fieldValidation") == "Strict",
            force=request.query.get("force") == "true",
            subresource=target.subresource,
        )

    def _answer(
        self,
        request: web.Request,
        target: Target,
        stored: Json,
        *,
        status: int = 200,
        warnings: list[str] | None = None,
    ) -> web.Response:
        body = stored
        if "as=Table" in request.headers.get("Accept", "") and stored.get("kind") != "Scale":
            metadata = {"resourceVersion": stored["metadata"].get("resourceVersion", "")}
            body = table(target.kind, [stored], metadata, datetime.now(UTC))
        response = web.json_response(body, status=status)
        for warning in warnings or []:
            response.headers.add("Warning", f'299 - "{warning}"'.replace('"unknown field "', '"unknown field \\"'))
        return response


def _write(manager: str, **more: Any) -> Write:
    suffix = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Write(now=now, manager=manager, suffix=suffix, **more)


def _place(stored: Json) -> list[str]:
    return [stored["metadata"].get("namespace", ""), stored["metadata"]["name"]]


def _position(token: str) -> list[str]:
    try:
        return list(json.loads(bytes.fromhex(token)))
    except ValueError as error:
        raise ApiError(400, f"continue key is not valid: {error}") from error
