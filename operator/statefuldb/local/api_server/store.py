"""The store: objects with versions, and the rules by which they change. Pure: time, ids and randomness come in.

Resource versions are one growing number over all resources. Every change is an event in a bounded history, from which
watches are served.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from statefuldb.local.api_server.errors import ApiError, conflict, not_found
from statefuldb.local.api_server.kinds import BUILT_IN, Kind, kinds_of

Json = dict[str, Any]
Address = tuple[str, str, str]
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
        self.objects: dict[Address, Json] = {}
        self.history: deque[Change] = deque(maxlen=HISTORY_LIMIT)
        self.version = 1
        self.kinds: dict[tuple[str, str, str], Kind] = {(k.group, k.version, k.plural): k for k in BUILT_IN}

    def restore(self, version: int, objects: dict[Address, Json]) -> None:
        """Take up what was stored; watches from before must list again."""
        self.version = version
        self.objects = objects
        for (key, _, _), stored in objects.items():
            if key == "customresourcedefinitions.apiextensions.k8s.io":
                self._serve(stored)

    def get(self, kind: Kind, namespace: str, name: str) -> Json:
        """Return a copy of an object. Raises ApiError(404)."""
        stored = self.objects.get((kind.key, namespace, name))
        if stored is None:
            raise not_found(kind.plural, kind.group, name)
        return copy.deepcopy(stored)

    def list(self, kind: Kind, namespace: str) -> Iterator[Json]:
        """Yield the objects of a kind, of one namespace or of all where it is empty, in order of name."""
        for key, ns, name in sorted(a for a in self.objects if a[0] == kind.key):
            if not namespace or ns == namespace:
                yield self.objects[key, ns, name]

    def create(self, kind: Kind, new: Json, now: str) -> Json:
        """Add an object that was checked. Raises ApiError."""
        metadata = new["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        held = self.objects.get((kind.key, namespace, name))
        if held is not None:
            shown = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            prefix = "object is being deleted: " if "deletionTimestamp" in held["metadata"] else ""
            raise ApiError(
                409,
                f'{prefix}{shown} "{name}" already exists',
                reason="AlreadyExists",
                details={"name": name, "group": kind.group, "kind": kind.plural},
            )
        for field in _SERVER_FIELDS:
            metadata.pop(field, None)
        metadata["uid"] = self._fresh_id()
        metadata["creationTimestamp"] = now
        if kind.generation:
            metadata["generation"] = 1
        return self._commit("ADDED", kind, new, None)

    def update(self, kind: Kind, new: Json, old: Json, now: str) -> Json:
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
        if "deletionTimestamp" in before:
            added = set(metadata.get("finalizers") or []) - set(before.get("finalizers") or [])
            if added:
                text = f"no new finalizers can be added if the object is being deleted, found new finalizers {added}"
                raise ApiError(422, f"metadata.finalizers: Forbidden: {text}")
        if _without_managed(new) == _without_managed(old):
            return old
        if kind.generation and _content(new, kind) != _content(old, kind):
            metadata["generation"] = before.get("generation", 0) + 1
        if "deletionTimestamp" in before and not metadata.get("finalizers"):
            self._remove(kind, old)
            return new
        return self._commit("MODIFIED", kind, new, old)

    def delete(self, kind: Kind, old: Json, now: str) -> Json | None:
        """Delete an object; return it where finalizers hold it, None where it is gone."""
        if not old["metadata"].get("finalizers"):
            self._remove(kind, old)
            return None
        if "deletionTimestamp" in old["metadata"]:
            return old
        dying = copy.deepcopy(old)
        dying["metadata"]["deletionTimestamp"] = now
        dying["metadata"]["deletionGracePeriodSeconds"] = 0
        if kind.generation:
            dying["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        return self._commit("MODIFIED", kind, dying, old)

    def since(self, version: int) -> Iterator[Change] | None:
        """Return the changes after `version`, or None where they are no longer all known (410)."""
        oldest = self.history[0].version if self.history else self.version + 1
        if version + 1 < oldest and version < self.version:
            return None
        return (change for change in list(self.history) if change.version > version)

    def _commit(self, kind_of_change: str, kind: Kind, new: Json, old: Json | None) -> Json:
        self.version += 1
        new["metadata"]["resourceVersion"] = str(self.version)
        metadata = new["metadata"]
        address = (kind.key, metadata.get("namespace", ""), metadata["name"])
        self.objects[address] = new
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
        last = copy.deepcopy(old)
        last["metadata"]["resourceVersion"] = str(self.version)
        self._record(Change(self.version, "DELETED", address, last, old))
        if kind.plural == "customresourcedefinitions":
            for served in kinds_of(old):
                self.kinds.pop((served.group, served.version, served.plural), None)

    def _record(self, change: Change) -> None:
        self.history.append(change)
        self._on_change(change)

    def _serve(self, crd: Json) -> None:
        for kind in kinds_of(crd):
            self.kinds[kind.group, kind.version, kind.plural] = kind


def _without_managed(value: Json) -> Json:
    metadata = {k: v for k, v in value["metadata"].items() if k not in ("managedFields", "resourceVersion")}
    return {**value, "metadata": metadata}


def _content(value: Json, kind: Kind) -> Json:
    """Return what counts for the generation: all but metadata, and but status where that is a subresource."""
    left_out = {"metadata", "status"} if kind.status_subresource else {"metadata"}
    return {name: inner for name, inner in value.items() if name not in left_out}
