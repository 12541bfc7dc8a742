"""Passes: read the source, decide, enter into the inventory, apply, prune, record. Killed anywhere, the next goes on.

Order is what makes that safe: an object is in the inventory before it is applied and until it is gone.
"""

import re
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from logging import getLogger

from statefuldb.sync.decide import Decision, Policy, decide, missing
from statefuldb.sync.inventory import Inventory, digest_of, marked, owner_of
from statefuldb.sync.manifests import KINDS, Identity, Manifests, Problem, problem_of, read_manifests
from statefuldb.sync.ports import Cluster, Json, Refused, Source, Unreachable
from statefuldb.sync.record import PREFIX, Record, State, Status, now, summary

log = getLogger(__name__)
ABSENT = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One sync: its name, which tells it from others of the namespace, and what is shown as its source."""

    name: str
    namespace: str
    source: str
    prune: bool = False
    allow_empty: bool = False

    @property
    def policy(self) -> Policy:
        """The rules of its decisions."""
        return Policy(owner=f"{self.namespace}/{self.name}", prune=self.prune, allow_empty=self.allow_empty)


class Sync:
    """Keeps applied what a source holds. `check` returns what the operator would refuse in a manifest."""

    def __init__(
        self, *, settings: Settings, source: Source, cluster: Cluster, check: Callable[[Json], list[str]]
    ) -> None:
        self._settings = settings
        self._source = source
        self._cluster = cluster
        self._check = check
        self._missing_before: frozenset[Identity] = frozenset()

    def run(self, interval_seconds: float, stop: threading.Event, say: Callable[[str], None]) -> None:
        """Make passes until `stop` is set; say what is new. Nothing that goes wrong ends it."""
        said = ""
        while not stop.is_set():
            try:
                status = self.once()
                text = f"{status.state}: {summary(status)}"
            except Refused as refused:
                text = f"{State.FAILED}: {refused}"
            if text != said:
                say(text)
                said = text
            stop.wait(interval_seconds)

    def once(self, *, believe: bool = False) -> Status:
        """Make one pass and return its status. `believe` takes a directory as it is seen. Raises Refused."""
        record = self._record()
        try:
            manifests, revision = self._read()
        except Unreachable as unreachable:
            return self._failed(record, f"the source cannot be read: {unreachable}")
        manifests, decision = self._decide(record, manifests, believe=believe)
        if any(d.identity not in record.inventory.entries for d in decision.apply):
            record = self._write(replace(record, inventory=record.inventory.announced(decision.apply)))
        inventory, problems = self._carry_out(decision, record.inventory)
        problems += _emptiness(manifests, self._settings)
        status = self._status(record.status, revision, decision, problems)
        status = replace(status, objects=len([i for i in manifests.known if inventory.digest_of(i)]))
        return self._publish(replace(record, inventory=inventory), record, status)

    def foresee(self) -> Decision:
        """Return what a pass would do, without doing it. Raises Refused, Unreachable."""
        manifests, _ = self._read()
        return self._decide(self._record(), manifests, believe=True)[1]

    def _read(self) -> tuple[Manifests, str]:
        snapshot = self._source.read()
        return read_manifests(snapshot, self._settings.namespace, self._check), snapshot.revision

    def _decide(self, record: Record, manifests: Manifests, *, believe: bool) -> tuple[Manifests, Decision]:
        """Return the manifests without what the API does not let be looked at, and what is to be done."""
        live, unseen = self._live({*manifests.known, *record.inventory.entries})
        manifests = manifests.without(unseen)
        before = None if believe or self._source.changes_whole else self._missing_before
        self._missing_before = missing(manifests, record.inventory)
        policy = replace(self._settings.policy, moved_from=self._moved_from(record))
        return manifests, decide(manifests, live, record.inventory, policy, before)

    def _moved_from(self, record: Record) -> str:
        """Return the source that was followed last where that is another one: two syncs may have one name."""
        last = record.status.source if record.status is not None else ""
        return last if last and _place(last) != _place(self._settings.source) else ""

    def _live(self, identities: set[Identity]) -> tuple[dict[Identity, Json], dict[Identity, str]]:
        """Return what is stored of these objects, and why of some that cannot be known."""
        found: dict[Identity, Json] = {}
        unseen: dict[Identity, str] = {}
        for kind, namespace in sorted({(i.kind, i.namespace) for i in identities if i.kind in KINDS}):
            wanted = {i.name: i for i in identities if (i.kind, i.namespace) == (kind, namespace)}
            try:
                for stored in self._stored(kind, namespace, wanted):
                    if stored["metadata"]["name"] in wanted:
                        found[wanted[stored["metadata"]["name"]]] = stored
            except Refused as refused:
                if not refused.status:
                    raise
                unseen |= {identity: str(refused) for identity in wanted.values()}
        return found, unseen

    def _stored(self, kind: str, namespace: str, names: Collection[str]) -> list[Json]:
        if kind == "StatefulDatabase":
            return self._cluster.databases(namespace)
        found = [self._cluster.get(kind, namespace, name) for name in sorted(names)]
        return [stored for stored in found if stored is not None]

    def _carry_out(self, decision: Decision, inventory: Inventory) -> tuple[Inventory, list[Problem]]:
        """Apply and prune; what is refused is a problem and stops nothing else. Raises Refused where nobody answers."""
        problems = list(decision.problems)
        for document in decision.apply:
            try:
                body = marked(document, self._settings.policy.owner)
                self._cluster.apply(body)
                inventory = inventory.applied(document, digest_of(body))
            except Refused as refused:
                _goes_on_after(refused)
                problems.append(problem_of(document, str(refused)))
        for identity in decision.prune:
            try:
                self._prune(identity)
                inventory = inventory.without(identity)
            except Refused as refused:
                _goes_on_after(refused)
                problems.append(Problem(file="", number=0, identity=identity, message=f"not pruned: {refused}"))
        for identity in decision.forget:
            inventory = inventory.without(identity)
        return inventory, problems

    def _prune(self, identity: Identity) -> None:
        """Delete an object, a database only with its data retained: Git may forget what nobody meant to destroy."""
        stored = self._cluster.get(identity.kind, identity.namespace, identity.name)
        if stored is None or owner_of(stored) != self._settings.policy.owner:
            # Much was applied since it was looked at: another one of its name may be somebody else's.
            return
        if identity.kind == "StatefulDatabase" and stored["spec"].get("retention", {}).get("whenDeleted") == "Delete":
            self._cluster.retain(identity.namespace, identity.name)
        try:
            self._cluster.delete(identity.kind, identity.namespace, identity.name, stored["metadata"]["uid"])
        except Refused as refused:
            if refused.status != ABSENT:
                raise

    def _status(self, before: Status | None, revision: str, decision: Decision, problems: list[Problem]) -> Status:
        """Return what is published. What was pruned or put right stays told while the revision is the same."""
        same = before if before is not None and before.revision == revision else None
        drift = dict.fromkeys((*(same.drift if same is not None else ()), *map(str, decision.drift)))
        pruned = dict.fromkeys((*(same.pruned if same is not None else ()), *map(str, decision.prune)))
        return Status(
            source=self._settings.source,
            state=State.PARTIAL if problems else State.SYNCED,
            revision=revision,
            errors=tuple(map(str, problems)),
            kept=tuple(map(str, decision.kept)),
            drift=tuple(drift),
            pruned=tuple(pruned),
        )

    def _failed(self, record: Record, message: str) -> Status:
        before = record.status or Status(source=self._settings.source, state=State.FAILED)
        return self._publish(record, record, replace(before, state=State.FAILED, errors=(message,)))

    def _publish(self, wanted: Record, stored: Record, status: Status) -> Status:
        """Write inventory and status where they differ from what is stored; an Event goes with a new status."""
        if status.same_as(stored.status):
            if wanted.inventory != stored.inventory:
                self._write(replace(wanted, status=stored.status))
            return status
        status = replace(status, at=now())
        written = self._write(replace(wanted, status=status))
        try:
            self._cluster.write(written.event(status))
        except Refused as refused:
            log.warning("Event not sent: %s", refused)
        return status

    def _record(self) -> Record:
        """Return what is stored of this sync. A damaged inventory is an error, never an empty one. Raises Refused."""
        settings = self._settings
        stored = self._cluster.get("ConfigMap", settings.namespace, PREFIX + settings.name)
        if stored is None:
            return Record(namespace=settings.namespace, name=settings.name, inventory=Inventory())
        try:
            return Record.from_object(stored)
        except ValueError as error:
            raise Refused(f"ConfigMap {PREFIX}{settings.name} is damaged: {error}", 0) from error

    def _write(self, record: Record) -> Record:
        """Store a record of a known version; return it as stored. Raises Refused, also where it has changed since."""
        self._cluster.write(record.to_object())
        return self._record()


def _place(source: str) -> str:
    """Return a source without its revision."""
    return re.sub(r"#\S*", "", source)


def _emptiness(manifests: Manifests, settings: Settings) -> list[Problem]:
    if manifests.known or manifests.problems or settings.allow_empty:
        return []
    message = "the source holds no manifest, which is taken for an accident: nothing is pruned (--allow-empty)"
    return [Problem(file="", number=0, message=message)]


def _goes_on_after(refused: Refused) -> None:
    """Let a pass go on after a no; where nobody answers it ends, and the next one does the rest. Raises Refused."""
    if not refused.status:
        raise refused
