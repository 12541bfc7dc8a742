"""Reading and writing objects of our kinds through the official client."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from statefuldb.adapters.kubernetes.cache import number_of
from statefuldb.adapters.kubernetes.calls import call, find, find_served
from statefuldb.adapters.kubernetes.plain import CORE, NAMESPACES, PlainObjects, Query
from statefuldb.model.identity import ANNOTATION_RELEASE, ANNOTATION_RESTARTED_AT, DatabaseKey
from statefuldb.model.observed import DatabaseObject
from statefuldb.model.profile import StorageProfile, parse_profile
from statefuldb.model.schema.crd import API_VERSION
from statefuldb.reconcile.ports import NotAnswered

Json = dict[str, Any]
DATABASES = "statefuldatabases"
VOLUMES = "databasevolumes"
PROFILES = "storageprofiles"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
REQUEST_LENGTH = 64
LONG_AGO = "1970-01-01T00:00:00Z"
# As parsed dictionaries, thousands of objects at once take more memory than all that is kept of them afterwards.
PAGE_OBJECTS = 100
PEEK_SECONDS = 2.0


class Surroundings:
    """The cluster-scoped objects that our objects depend on."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def definition(self, name: str) -> Json | None:
        """Return a CustomResourceDefinition, or None. Raises EffectFailed."""
        definitions = PlainObjects(self._client, "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions")
        return find(f"get definition {name}", lambda: definitions.get("", name))

    def namespace(self, name: str) -> Json | None:
        """Return a Namespace, or None. Raises EffectFailed."""
        namespaces = PlainObjects(self._client, CORE, NAMESPACES)
        return find(f"get namespace {name}", lambda: namespaces.get("", name))


class Objects:
    """One kind's objects; with `namespaces` only those in them are listed."""

    def __init__(self, client: Any, plural: str, namespaces: tuple[str, ...] = ()) -> None:
        self._namespaces = namespaces
        self._api = PlainObjects(client, f"/apis/{API_VERSION}", plural)
        self._plural = plural

    def get(self, namespace: str, name: str) -> Json | None:
        """Return an object, or None. Raises EffectFailed."""
        return find(self._what("get", namespace, name), lambda: self._api.get(namespace, name))

    def list(self) -> tuple[Iterator[Json], str | None]:
        """Return all objects, fetched a page at a time, and the version at which that was all. Raises EffectFailed.

        So does the iterator. Without a version the kind is not served.
        """
        begun = [(namespace, self._page(namespace)) for namespace in self._namespaces or ("",)]
        firsts = {namespace: first for namespace, first in begun if first is not None}
        if len(firsts) < len(begun):
            return iter(()), None
        # Of several lists the oldest one says what they have in common.
        version = min((first["metadata"]["resourceVersion"] for first in firsts.values()), key=number_of)
        return self._all(firsts), version

    def peek(self) -> bool:
        """Read as little as can be, to see whether that is possible, and say whether the kind is served.

        Raises EffectFailed.
        """
        namespace = self._namespaces[0] if self._namespaces else ""
        return self._page(namespace, limit=1, timeout_seconds=PEEK_SECONDS) is not None

    def _all(self, firsts: dict[str, Json]) -> Iterator[Json]:
        for namespace in list(firsts):
            page: Json | None = firsts.pop(namespace)
            while page is not None:
                yield from page["items"]
                token = page["metadata"].get("continue")
                page = self._page(namespace, token) if token else None
                if token and page is None:
                    raise NotAnswered(f"list {self._plural}: 404 amid the list, its kind is not served now")

    def _page(
        self, namespace: str, token: str = "", *, limit: int = PAGE_OBJECTS, timeout_seconds: float | None = None
    ) -> Json | None:
        """Return a page of a list: the first one, or the one that follows. None where the kind is not served."""
        query: Query = {"limit": limit, **({"continue": token} if token else {})}
        what = f"list {self._plural}" + (f" in {namespace}" if namespace else "")
        return find_served(what, lambda: self._api.list(namespace, query, timeout_seconds=timeout_seconds))

    def create(self, body: Json) -> Json:
        """Add an object. Raises EffectFailed."""
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
        return call(self._what("create", namespace, name), lambda: self._api.create(namespace, body))

    def replace(self, body: Json) -> Json:
        """Replace an object of a known version. Raises EffectFailed."""
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
        return call(self._what("replace", namespace, name), lambda: self._api.replace(namespace, body))

    def patch(self, namespace: str, name: str, body: Any, content_type: str) -> Json:
        """Patch an object. Raises EffectFailed."""
        return call(self._what("patch", namespace, name), lambda: self._api.patch(namespace, name, body, content_type))

    def replace_status(self, stored: Json, status: Json) -> Json:
        """Replace the status of an object of a known version; all else stays. Raises EffectFailed."""
        metadata = stored["metadata"]
        known = {name: metadata[name] for name in ("namespace", "name", "uid", "resourceVersion")}
        kind = {name: stored[name] for name in ("apiVersion", "kind")}
        body = {**kind, "metadata": known, "status": status}
        return call(
            self._what("write status of", metadata["namespace"], metadata["name"]),
            lambda: self._api.replace(metadata["namespace"], body, subresource="status"),
        )

    def delete(self, namespace: str, name: str, version: str) -> None:
        """Delete an object of a known version, if it is there. Raises EffectFailed."""
        find(self._what("delete", namespace, name), lambda: self._api.delete(namespace, name, version=version))

    def _what(self, verb: str, namespace: str, name: str) -> str:
        return f"{verb} {self._plural}/{name} in {namespace}"


def beside_others(body: Json, held: Json | None) -> Json:
    """Return an entry to be written, with what others have put on the one that it replaces, as that is `held`.

    A finalizer among it may be all that keeps an entry which somebody deletes. A release by name is good for what it
    released, and nothing owns an entry: it would go with that.
    """
    if held is None:
        return body
    metadata = held["metadata"]
    labels = {**(metadata.get("labels") or {}), **body["metadata"]["labels"]}
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != ANNOTATION_RELEASE}
    others = {"annotations": notes, "finalizers": metadata.get("finalizers")}
    kept = {name: value for name, value in others.items() if value}
    return {**body, "metadata": {**body["metadata"], **kept, "labels": labels}}


def not_served(plural: str) -> NotAnswered:
    """Return the failure of a list of a kind that is not served though its definition is there."""
    return NotAnswered(f"list {plural}: the kind is not served now, and its definition is there")


def profiles_of(stored: Iterable[Json], namespace: str, look: Callable[[], Json | None]) -> tuple[StorageProfile, ...]:
    """Return those of the stored profiles that bound a namespace, which `look` returns; asked where there are any."""
    found = [parse_profile(o["metadata"]["name"], o.get("spec") or {}) for o in stored]
    if not found:
        return ()
    labels = (look() or {"metadata": {}})["metadata"].get("labels") or {}
    return tuple(profile for profile in found if profile.applies_to(namespace, labels))


def database_of(key: DatabaseKey, stored: Json) -> DatabaseObject:
    """Return a stored `StatefulDatabase` as the planner sees it."""
    metadata = stored["metadata"]
    return DatabaseObject(
        key=key,
        uid=metadata["uid"],
        generation=metadata.get("generation", 1),
        resource_version=metadata.get("resourceVersion", ""),
        deleting="deletionTimestamp" in metadata,
        finalizers=tuple(metadata.get("finalizers") or ()),
        spec=cast("Mapping[str, object]", stored.get("spec") or {}),
        status=cast("Mapping[str, object]", stored.get("status") or {}),
        restarted_at=str((metadata.get("annotations") or {}).get(ANNOTATION_RESTARTED_AT, ""))[:REQUEST_LENGTH],
        created_at_seconds=_seconds(metadata.get("creationTimestamp", LONG_AGO)),
    )


def _seconds(moment: str) -> float:
    """Return a time of the API in Unix seconds."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
