"""The store: objects with versions, and the rules by which they change. Pure: time, ids and randomness come in.

Resource versions are one growing number over all resources. Every change is an event in a bounded history, from which
watches are served.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.errors import ApiError, conflict, details_of, not_found, shown_name
from statefuldb.local.api_server.objects.stored import Address, StoredObjects
from statefuldb.local.api_server.schemas.kinds import BUILT_IN, Kind, kinds_of

Json = dict[str, Any]
HISTORY_LIMIT = 10_000
_SERVER_FIELDS = (
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One event: `type` is ADDED, MODIFIED or DELETED; `previous` is the object before."""

    version: int
    type: str
    address: Address
    object: Json
    previous: Json | None


class Store:
    """All objects. `fresh_id` makes a uid; `on_change` is told of each change before anything is answered."""

    def __init__(self, fresh_id: Callable[[], str], on_change: Callable[[Change], None]) -> None:
        self._fresh_id = fresh_id
        self._on_change = on_change
        self.objects = StoredObjects()
        self.history: deque[Change] = deque(maxlen=HISTORY_LIMIT)
        self.version = 1
        self.kinds: dict[tuple[str, str, str], Kind] = {(k.group, k.version, k.plural): k for k in BUILT_IN}

    def restore(self, version: int, objects: Mapping[Address, Json]) -> None:
        """Take up what was stored; watches from before must list again."""
        self.version = version
        self.objects = StoredObjects(objects)
        for stored in self.objects.of_kind("customresourcedefinitions.apiextensions.k8s.io").values():
            self._serve(stored)

    def get(self, kind: Kind, namespace: str, name: str) -> Json:
        """Return an object, which must not be changed. Raises ApiError(404)."""
        stored = self.objects.get((kind.key, namespace, name))
        if stored is None:
            raise not_found(kind.plural, kind.group, name)
        return stored

    def list(self, kind: Kind, namespace: str) -> Iterator[Json]:
        """Yield the objects of a kind, of one namespace or of all where it is empty, in order of name."""
        for address, stored in sorted(self.objects.of_kind(kind.key).items()):
            if not namespace or address[1] == namespace:
                yield stored

    def create(self, kind: Kind, new: Json, now: str, *, dry_run: bool = False) -> Json:
        """Add an object that was checked. Raises ApiError."""
        metadata = new["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        held = self.objects.get((kind.key, namespace, name))
        if held is not None:
            prefix = "object is being deleted: " if "deletionTimestamp" in held["metadata"] else ""
            raise ApiError(
                409,
                f'{prefix}{shown_name(kind.plural, kind.group)} "{name}" already exists',
                reason="AlreadyExists",
                details=details_of(kind.plural, kind.group, name),
            )
        for field in _SERVER_FIELDS:
            metadata.pop(field, None)
        metadata["uid"] = self._fresh_id()
        metadata["creationTimestamp"] = now
        if kind.generation:
            metadata["generation"] = 1
        return new if dry_run else self._commit("ADDED", kind, new, None)

    def update(self, kind: Kind, new: Json, old: Json, *, dry_run: bool = False) -> Json:
        """Replace `old` by `new`, which was checked; write nothing where they are equal. Raises ApiError."""
        metadata, before = new["metadata"], old["metadata"]
        wanted = metadata.get("resourceVersion")
        if wanted not in (None, "", "0", before["resourceVersion"]):
            raise conflict(kind.plural, kind.group, before["name"])
        for field in (*_SERVER_FIELDS, "resourceVersion"):
            if field in before:
                metadata[field] = before[field]
            else:
                metadata.pop(field, None)
        if _comparable(new) == _comparable(old):
            return old
        if kind.generation and _content(new, kind) != _content(old, kind):
            metadata["generation"] = before.get("generation", 0) + 1
        if dry_run:
            return new
        if "deletionTimestamp" in before and not metadata.get("finalizers") and not _namespace_holds(kind, new):
            self._remove(kind, old)
            return new
        return self._commit("MODIFIED", kind, new, old)

    def delete(self, kind: Kind, old: Json, now: str, *, dry_run: bool = False) -> Json | None:
        """Delete an object; return it where finalizers hold it, None where it is gone."""
        if not old["metadata"].get("finalizers") and not _namespace_holds(kind, old):
            if not dry_run:
                self._remove(kind, old)
            return None
        if "deletionTimestamp" in old["metadata"]:
            return old
        dying = copied(old)
        dying["metadata"]["deletionTimestamp"] = now
        if kind.key != "namespaces":
            dying["metadata"]["deletionGracePeriodSeconds"] = 0
        if kind.generation:
            dying["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        return dying if dry_run else self._commit("MODIFIED", kind, dying, old)

    def delete_as(self, kind: Kind, held: Json, old: Json, now: str) -> Json | None:
        """Delete `old`, of which `held` says what is to be stored while it waits: in one change."""
        dying = self.delete(kind, held, now, dry_run=True)
        if dying is None:
            self._remove(kind, old)
            return None
        return self._commit("MODIFIED", kind, dying, old)

    def forget(self) -> None:
        """Drop the history: whoever watches from before now is told to list again."""
        self.history.clear()

    def list_at(self, kind: Kind, namespace: str, version: int) -> tuple[Json, ...] | None:
        """Return the objects as they were at a version, or None where that is no longer known."""
        then = dict(self.objects.of_kind(kind.key))
        if version < self.version:
            if self.since(version) is None:
                return None
            for change in reversed(self.history):
                if change.version <= version:
                    break
                if change.address[0] == kind.key:
                    then.pop(change.address, None)
                    if change.previous is not None:
                        then[change.address] = change.previous
        return tuple(then[a] for a in sorted(then) if not namespace or a[1] == namespace)

    @property
    def oldest(self) -> int:
        """The version of the first change that is still told of."""
        return self.history[0].version if self.history else self.version + 1

    def since(self, version: int) -> Iterator[Change] | None:
        """Return the changes after `version`, or None where they are no longer all known (410)."""
        if version + 1 < self.oldest and version < self.version:
            return None
        newer = list(takewhile(lambda change: change.version > version, reversed(self.history)))
        return reversed(newer)

    def _commit(self, kind_of_change: str, kind: Kind, new: Json, old: Json | None) -> Json:
        self.version += 1
        new["metadata"]["resourceVersion"] = str(self.version)
        metadata = new["metadata"]
        address = (kind.key, metadata.get("namespace", ""), metadata["name"])
        self.objects[address] = new
        if kind.plural == "customresourcedefinitions" and old is not None:
            self._unserve(old)
        self._record(Change(self.version, kind_of_change, address, new, old))
        if kind.plural == "customresourcedefinitions":
            self._serve(new)
        return new

    def _remove(self, kind: Kind, old: Json) -> None:
        """Remove for good. The event shows the last stored state under a new version, as the real server does."""
        self.version += 1
        metadata = old["metadata"]
        address = (kind.key, metadata.get("namespace", ""), metadata["name"])
        self.objects.pop(address, None)
        last = copied(old)
        last["metadata"]["resourceVersion"] = str(self.version)
        self._record(Change(self.version, "DELETED", address, last, old))
        if kind.plural == "customresourcedefinitions":
            self._unserve(old)

    def _record(self, change: Change) -> None:
        self.history.append(change)
        self._on_change(change)

    def _serve(self, crd: Json) -> None:
        for kind in kinds_of(crd):
            self.kinds[kind.group, kind.version, kind.plural] = kind

    def _unserve(self, crd: Json) -> None:
        for kind in kinds_of(crd):
            self.kinds.pop((kind.group, kind.version, kind.plural), None)


def _namespace_holds(kind: Kind, value: Json) -> bool:
    """Say whether a namespace is still to be emptied: it is held by its spec, not by its metadata."""
    return kind.key == "namespaces" and bool(value.get("spec", {}).get("finalizers"))


def _comparable(value: Json) -> Json:
    """Return what makes two states of an object different: all but versions and times of ownership."""
    metadata = {k: v for k, v in value["metadata"].items() if k != "resourceVersion"}
    owned = [{k: v for k, v in entry.items() if k != "time"} for entry in metadata.get("managedFields", ())]
    return {**value, "metadata": {**metadata, "managedFields": owned}}


def _content(value: Json, kind: Kind) -> Json:
    """Return what counts for the generation: all but metadata, and but status where that is a subresource."""
    left_out = {"metadata", "status"} if kind.status_subresource else {"metadata"}
    return {name: inner for name, inner in value.items() if name not in left_out}
