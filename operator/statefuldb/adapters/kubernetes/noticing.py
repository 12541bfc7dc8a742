"""What the API says of its own accord, and what complete lists show: into the caches, and the keys into the queue."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from statefuldb.adapters.kubernetes.cache import Cache, number_of
from statefuldb.adapters.kubernetes.entries import Entries
from statefuldb.adapters.kubernetes.grouping import keys_among, within
from statefuldb.adapters.kubernetes.objects import DATABASES, PROFILES, VOLUMES, Objects, not_served
from statefuldb.adapters.kubernetes.surroundings import KnownSurroundings
from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.ports import Enqueue

Json = dict[str, Any]


class Noticing:
    """The only writer of the caches beside our own writes. `caches` and `objects` are by plural.

    `on_surroundings` is called with the namespace that has changed, or with None where that concerns every database,
    `on_listed` where a watch has begun, or begun anew, and tells of what is there but not of what has gone before,
    `on_restored` where the API was put back to an earlier state.
    """

    def __init__(
        self,
        *,
        caches: Mapping[str, Cache],
        objects: Mapping[str, Objects],
        entries: Entries,
        around: KnownSurroundings,
        namespaces: tuple[str, ...],
        enqueue: Enqueue,
        on_surroundings: Callable[[str | None], None],
        on_listed: Callable[[], None],
        on_restored: Callable[[], None],
    ) -> None:
        self._caches = caches
        self._objects = objects
        self._entries = entries
        self._around = around
        self._namespaces = namespaces
        self._enqueue = enqueue
        self._on_surroundings = on_surroundings
        self._on_listed = on_listed
        self._on_restored = on_restored

    def keys(self, namespace: str | None = None) -> tuple[DatabaseKey, ...]:
        """Return every key that has a database or a ledger entry, of one namespace or of all."""
        groups = set[Hashable]()
        for cache in (self._caches[DATABASES], self._caches[VOLUMES]):
            groups |= cache.groups() if namespace is None else cache.groups_beside(within(namespace))
        return tuple(sorted({g[1] for g in groups if isinstance(g, tuple) and g[0] in ("of", "damaged")}))

    def noticed(self, plural: str, kind: str | None, stored: Json) -> None:
        """Take in an event, and enqueue the key it is about."""
        if kind is None:
            self._on_listed()
        cache = self._caches[plural]
        news = cache.remove(stored) if kind == "DELETED" else cache.put(stored)
        if not news:
            return
        if plural == DATABASES:
            self._enqueue(DatabaseKey.of(stored))
            if kind == "DELETED":
                self.enqueue_those_with(stored["metadata"].get("uid", ""), DatabaseKey.of(stored))
        elif plural == VOLUMES:
            entry = self._entries.read(stored)
            if entry.key.name:
                self._enqueue(entry.key)
            if entry.identity is not None:
                self.enqueue_those_with(entry.identity.uid, entry.key)
        else:
            self._on_surroundings(stored["metadata"]["name"] if plural == "namespaces" else None)

    def enqueue_those_with(self, uid: str, known: DatabaseKey) -> None:
        """Enqueue all but `known` that have entries of the data of a uid: they may wait for each other to go."""
        for key in sorted(self._entries.databases_with(uid) - {known}):
            self._enqueue(key)

    def relist(self) -> None:
        """Compare the caches with complete lists: events can be missed, lists cannot. What bounds comes first.

        Raises EffectFailed.
        """
        # Not known yet would be taken for gone: then nothing is looked after, and every status says so.
        self._around.look_at_definitions()
        for plural in (PROFILES, DATABASES, VOLUMES):
            changed: set[Hashable] = set()
            try:
                self._compare(plural, changed)
            finally:
                # Also where the list broke off: no watch and no later list has this as news.
                for key in sorted(self._concerned(plural, changed)):
                    self._enqueue(key)
        for namespace in self._namespaces:
            # Whoever may look at some namespaces only cannot watch them, nor our definitions.
            self._around.look_at(namespace)

    def _concerned(self, plural: str, changed: set[Hashable]) -> set[DatabaseKey]:
        """Return the databases that are to be looked at where groups of a kind have changed."""
        if plural == PROFILES:
            return set(self.keys()) if changed else set()
        uids = {group[1] for group in changed if isinstance(group, tuple) and group[0] in ("data", "uid")}
        beside = (self._entries.databases_with(uid) for uid in uids)
        return set(keys_among(changed)).union(*beside)

    def _compare(self, plural: str, changed: set[Hashable]) -> None:
        """Add to `changed` the groups of what a complete list shows to have changed. Raises EffectFailed.

        A list that is older than what was seen before it was asked for is of another past: the API was restored from a
        backup. Its watches tell of nothing until it has come as far again, and of nothing that happens until then. So
        is one with an object that is older than it was: versions may go on where they were (`etcdutl snapshot restore
        --bump-revision`).

        What bounds and is not served, bounds on.
        """
        before = self._caches[plural].latest
        listed, version = self._objects[plural].list()
        if version is None and plural == PROFILES:
            return
        if version is None:
            self.not_served(plural)
        if version is not None and number_of(version) < before:
            self._on_restored()
        self._caches[plural].replace_all(self._judged(plural, listed, version), version, changed)

    def not_served(self, plural: str) -> None:
        """Raise NotAnswered for a kind that is not served: it is nobody's deletion, unless its definition goes."""
        if not self._around.definitions_going():
            raise not_served(plural)

    def _judged(self, plural: str, listed: Iterable[Json], version: str | None) -> Iterator[Json]:
        for stored in listed:
            if version is not None and self._caches[plural].disproves(stored, version):
                self._on_restored()
            yield stored
