"""What a deletion entails: owners and dependents, definitions and their objects, namespaces and their content.

The real server leaves most of this to controllers that run beside it; here it is settled after each write.
"""

from collections.abc import Callable, Iterable
from typing import Any

from statefuldb.local.api_server.copying import copied
from statefuldb.local.api_server.errors import ApiError
from statefuldb.local.api_server.objects.store import Change, Store
from statefuldb.local.api_server.schemas.definitions import terminating
from statefuldb.local.api_server.schemas.kinds import Kind

Json = dict[str, Any]
Admit = Callable[[Kind, str, Json | None, Json | None], None]
CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_FINALIZERS = {"Foreground": FOREGROUND, "Orphan": ORPHAN}
_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


class Deletion:
    """Deletes objects of one store, and what hangs on them. `admit` may refuse each of them."""

    def __init__(self, store: Store, admit: Admit) -> None:
        self._store = store
        self._admit = admit
        self._seen = 0

    def begin(self, kind: Kind, old: Json, policy: str, now: str, *, dry_run: bool = False) -> Json | None:
        """Delete one object; return it where something holds it, None where it is gone."""
        finalizer = _FINALIZERS.get(policy)
        if kind.key == _DEFINITIONS:
            finalizer = CRD_CLEANUP
        if dry_run and finalizer is None and kind.key != "namespaces":
            return self._store.delete(kind, old, now, dry_run=True)
        held = copied(old)
        if finalizer is not None:
            listed = [f for f in old["metadata"].get("finalizers") or [] if f not in _FINALIZERS.values()]
            held["metadata"]["finalizers"] = listed if finalizer in listed else [*listed, finalizer]
        if kind.key == "namespaces":
            held.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
            held["status"] = {"phase": "Terminating"}
        if kind.key == _DEFINITIONS:
            terminating(held, now)
        if dry_run or held == old:
            return self._store.delete(kind, held, now, dry_run=dry_run)
        return self._store.delete_as(kind, held, old, now)

    def settle(self, now: str) -> None:
        """Go on with all that waits for other objects, until nothing more follows."""
        while self._seen < self._store.version:
            changes = self._store.since(self._seen)
            self._seen = self._store.version
            self._collect(None if changes is None else list(changes), now)
            for namespace in self._dying("namespaces"):
                self._finish_namespace(namespace, now)
            for crd in self._dying(_DEFINITIONS):
                self._finish_definition(crd, now)

    def _dying(self, key: str) -> list[Json]:
        return [o for (k, _, _), o in self._store.objects.dying.items() if k == key]

    def _kind(self, key: str) -> Kind | None:
        return next((kind for kind in self._store.kinds.values() if kind.key == key and not kind.storage), None)

    def _collect(self, changes: Iterable[Change] | None, now: str) -> None:
        """Go on with the dependents of what was deleted or is being deleted; with all of them after a restart."""
        if changes is None:
            self._collect_lost(now)
        gone = {c.object["metadata"]["uid"] for c in changes or () if c.type == "DELETED"}
        for uid in gone:
            for kind, dependent in self._dependents(uid):
                self._leave(kind, dependent, uid, now)
        for (key, _, _), owner in list(self._store.objects.dying.items()):
            if not {FOREGROUND, ORPHAN} & set(owner["metadata"].get("finalizers") or ()):
                continue
            held = self._kind(key)
            if held is not None:
                self._release(held, owner, now)

    def _collect_lost(self, now: str) -> None:
        """Find dependents whose owners went before the last stop; only owners of a kind that is served count."""
        present = {o["metadata"]["uid"] for o in self._store.objects.values()}
        served = {(kind.api_version, kind.kind) for kind in self._store.kinds.values()}
        for dependent in list(self._store.objects.values()):
            for owner in dependent["metadata"].get("ownerReferences") or ():
                known = (owner["apiVersion"], owner["kind"]) in served
                if known and owner["uid"] not in present:
                    for kind, found in self._dependents(owner["uid"]):
                        self._leave(kind, found, owner["uid"], now)

    def _dependents(self, uid: str) -> list[tuple[Kind, Json]]:
        found = []
        for (key, _, _), stored in self._store.objects.of_owner(uid).items():
            kind = self._kind(key)
            if kind is not None:
                found.append((kind, stored))
        return found

    def _leave(self, kind: Kind, dependent: Json, uid: str, now: str, policy: str = "Background") -> None:
        """Delete a dependent, or let it go where another owner is left."""
        others = [o for o in dependent["metadata"]["ownerReferences"] if o["uid"] != uid]
        if others:
            self._disown(kind, dependent, others)
        elif "deletionTimestamp" not in dependent["metadata"]:
            self._delete(kind, dependent, policy, now)

    def _disown(self, kind: Kind, dependent: Json, others: list[Json]) -> None:
        free = copied(dependent)
        free["metadata"]["ownerReferences"] = others
        if not others:
            del free["metadata"]["ownerReferences"]
        self._store.update(kind, free, dependent)

    def _release(self, kind: Kind, owner: Json, now: str) -> None:
        """Carry out the policy of an owner that waits for its dependents, and let it go when that is done."""
        uid = owner["metadata"]["uid"]
        finalizers = owner["metadata"]["finalizers"]
        if ORPHAN in finalizers:
            for inner, dependent in self._dependents(uid):
                others = [o for o in dependent["metadata"]["ownerReferences"] if o["uid"] != uid]
                self._disown(inner, dependent, others)
        else:
            for inner, dependent in self._dependents(uid):
                self._leave(inner, dependent, uid, now, "Foreground")
            left = [o for _, d in self._dependents(uid) for o in d["metadata"]["ownerReferences"] if o["uid"] == uid]
            if any(o.get("blockOwnerDeletion") for o in left):
                return
        freed = copied(owner)
        freed["metadata"]["finalizers"] = [f for f in finalizers if f not in (FOREGROUND, ORPHAN)]
        self._store.update(kind, freed, owner)

    def _finish_definition(self, crd: Json, now: str) -> None:
        key = f"{crd['spec']['names']['plural']}.{crd['spec']['group']}"
        for address, stored in list(self._store.objects.of_kind(key).items()):
            kind = self._kind(key)
            if kind is not None and address in self._store.objects:
                self._delete(kind, stored, "Background", now)
        finalizers = crd["metadata"].get("finalizers") or []
        if CRD_CLEANUP in finalizers and not self._store.objects.of_kind(key):
            definition = self._store.kinds["apiextensions.k8s.io", "v1", "customresourcedefinitions"]
            freed = copied(crd)
            freed["metadata"]["finalizers"] = [f for f in finalizers if f != CRD_CLEANUP]
            self._store.update(definition, freed, crd)

    def _finish_namespace(self, namespace: Json, now: str) -> None:
        name = namespace["metadata"]["name"]
        for (key, ns, _), stored in list(self._store.objects.items()):
            kind = self._kind(key) if ns == name else None
            if kind is not None and "deletionTimestamp" not in stored["metadata"]:
                self._delete(kind, stored, "Background", now)
        if not any(ns == name for (_, ns, _) in self._store.objects):
            freed = copied(namespace)
            freed["metadata"].pop("finalizers", None)
            freed["spec"] = {}
            self._store.update(self._store.kinds["", "v1", "namespaces"], freed, namespace)

    def _delete(self, kind: Kind, stored: Json, policy: str, now: str) -> None:
        """Delete one of many; one that a policy protects stays, and what waits for it waits."""
        try:
            self._admit(kind, "DELETE", None, stored)
        except ApiError:
            return
        self.begin(kind, stored, policy, now)
