"""The ledger against the cluster: what is written down compared with what Mesos holds under our label.

Pure: the command line shows it, and decides by it what may be adopted, released or uninstalled. Ownership is told by
the cluster label alone (law `ours_only`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from statefuldb.model.damaged import DamagedEntry
from statefuldb.model.identity import DatabaseKey, DataIdentity, TaskId, volume_record_name
from statefuldb.model.observed import Offers
from statefuldb.model.resources import AgentOffer, bytes_of_milli
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Intent, VolumeRecord
from statefuldb.planning.inventory.held_volumes import beside_an_entry, beside_an_orphan, counted, later_than
from statefuldb.planning.removal import in_vain
from statefuldb.planning.storage.holding import identity_of

UNNAMED = "unnamed"


class VolumeState(StrEnum):
    """Where one volume stands between the ledger and the cluster."""

    PENDING = "Pending"
    IN_USE = "InUse"
    RETAINED = "Retained"
    RELEASING = "Releasing"
    ORPHANED = "Orphaned"
    MISSING = "Missing"
    LOST = "Lost"
    DAMAGED = "Damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """What the master says: the ids and host names of registered agents, what they hold for us, and our tasks.

    `held` looks like offers but has no offer ids. `running` are the ledger entries that live tasks of ours carry.
    `set_aside` are the host names of agents that a person has drained or deactivated: nothing of them is offered.
    """

    agent_ids: frozenset[str]
    hostnames: frozenset[str]
    held: Offers
    running: tuple[VolumeRecord, ...] = ()
    set_aside: frozenset[str] = frozenset()

    def has(self, agent: AgentRef) -> bool:
        """Say whether an agent is registered. Its host name outlives its id."""
        return agent.id in self.agent_ids or agent.hostname in self.hostnames


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeLine:
    """One volume as it is shown. `record` is None for an orphan; `held` are its resources in Mesos, by agent.

    `task` is that of an orphan that runs. Of an entry that is damaged, `identity` and `strategy` may be unknown.
    `others` are the other entries of the same data, by namespace and name: one of them is a copy.
    """

    name: str
    key: DatabaseKey
    identity: DataIdentity
    state: VolumeState
    strategy: Strategy | None
    agent: str
    where: str
    size_bytes: int
    note: str = ""
    record: VolumeRecord | None = None
    held: Offers = ()
    task: TaskId | None = None
    others: tuple[str, ...] = ()

    @property
    def intent(self) -> str:
        """What the ledger says is to become of it; empty for an orphan."""
        return str(self.record.intent) if self.record is not None else ""

    @property
    def later(self) -> bool:
        """Whether Mesos holds a volume that counts as the data and was made later than that of the entry."""
        return self.record is not None and bool(later_than(self.record, self.held))


def compare(entries: Iterable[VolumeRecord | DamagedEntry], cluster: ClusterView | None) -> tuple[VolumeLine, ...]:
    """Return a line for each ledger entry and each orphan, by database. `cluster` None: the ledger's own view only."""
    read = tuple(entries)
    written = [entry for entry in read if isinstance(entry, VolumeRecord)]
    damaged = [entry for entry in read if isinstance(entry, DamagedEntry)]
    held = _by_identity(cluster.held) if cluster is not None else {}
    lines = [_entry(record, cluster, held.get(record.identity, ())) for record in written]
    lines = _aware_of_each_other([*lines, *(_damaged(entry, held) for entry in damaged)])
    if cluster is not None:
        found = {*held, *(record.identity for record in cluster.running)}
        known = {record.identity for record in written} | {i for i in found if any(d.is_of(i) for d in damaged)}
        running = {record.identity: record for record in cluster.running if record.identity not in known}
        lines += [_running(record, held.get(identity, ())) for identity, record in running.items()]
        known |= running.keys()
        lines += [_orphan(identity, parts) for identity, parts in held.items() if identity not in known]
    return tuple(sorted(lines, key=lambda line: (line.key, line.identity.ordinal, line.name)))


def find(lines: Iterable[VolumeLine], namespace: str, name: str) -> VolumeLine | None:
    """Return the line of a volume's name in a namespace, or None. What has no namespace is found in every one."""
    return next((line for line in lines if line.name == name and line.key.namespace in ("", namespace)), None)


def _aware_of_each_other(entries: list[VolumeLine]) -> list[VolumeLine]:
    """Return the lines of entries, each with the others of the same data, which its note names."""
    alike: dict[DataIdentity, list[str]] = {}
    for line in entries:
        alike.setdefault(line.identity, []).append(f"{line.key.namespace}/{line.name}")
    found = []
    for line in entries:
        others = tuple(name for name in alike[line.identity] if name != f"{line.key.namespace}/{line.name}")
        if others and line.identity.uid:
            said = f"{', '.join(others)} is of the same data: delete the entry that is the copy"
            # What is to be released is not given back while there are others, whatever else is known of it.
            more = "" if line.state is VolumeState.RELEASING else line.note
            line = replace(line, others=others, note="; ".join(filter(None, (said, more))))
        found.append(line)
    return found


def _by_identity(held: Offers) -> Mapping[DataIdentity, Offers]:
    found: dict[DataIdentity, dict[str, AgentOffer]] = {}
    for agent in held:
        for resource in agent.resources:
            owner = identity_of(resource)
            if owner is None:
                continue
            parts = found.setdefault(owner, {})
            part = parts.get(agent.agent_id, replace(agent, resources=()))
            parts[agent.agent_id] = replace(part, resources=(*part.resources, resource))
    return {identity: tuple(parts.values()) for identity, parts in found.items()}


def _entry(record: VolumeRecord, cluster: ClusterView | None, held: Offers) -> VolumeLine:
    state, note = _state(record, cluster, held)
    return VolumeLine(
        name=record.name,
        key=record.key,
        identity=record.identity,
        state=state,
        strategy=record.strategy,
        agent=record.agent.hostname if record.agent is not None else "",
        where=record.directory or record.persistence_id or "",
        size_bytes=record.size_bytes,
        note="; ".join(filter(None, (note, beside_an_entry(record, held)))),
        record=record,
        held=held,
    )


def _damaged(entry: DamagedEntry, held: Mapping[DataIdentity, Offers]) -> VolumeLine:
    """Return the line of an entry that cannot be read, with what Mesos holds of it as far as that can be told."""
    identity = entry.identity or next((each for each in held if entry.is_of(each)), None)
    offers = held.get(identity, ()) if identity is not None else ()
    return VolumeLine(
        name=entry.name,
        key=entry.key,
        identity=identity or DataIdentity(cluster="", uid="", ordinal=entry.ordinal or 0),
        state=VolumeState.DAMAGED,
        strategy=None,
        agent=", ".join(offer.hostname for offer in offers),
        where="",
        size_bytes=0,
        note=f"its entry cannot be read: {entry.problem}",
        held=offers,
    )


def _state(record: VolumeRecord, cluster: ClusterView | None, held: Offers) -> tuple[VolumeState, str]:
    """Return the state of an entry, and what a person should know about it."""
    home = record.agent
    gone = cluster is not None and home is not None and not cluster.has(home)
    away = f"{home.hostname} is not registered with Mesos" if gone and home is not None else ""
    if record.intent is Intent.DELETE:
        never = "where it never comes back, see docs/operations.md, An agent is lost"
        back = f"{away}: bring it back, its resources are given back then; {never}" if away else ""
        return VolumeState.RELEASING, back or _failed_removal(record) or _not_offered(record, cluster, held)
    bound = record.strategy is not Strategy.DFS
    if away and bound and (record.initialised or record.launch is not None):
        return VolumeState.LOST, f"{away}; the data is there: bring it back"
    if cluster is not None and home is not None and _volume_is_missing(record, held):
        other = f" as another agent than {home.id}" if home.id not in cluster.agent_ids else ""
        return VolumeState.MISSING, f"{home.hostname} is registered{other}, but holds no volume {record.persistence_id}"
    if record.intent is Intent.RETAIN:
        return VolumeState.RETAINED, away
    if record.initialised:
        return VolumeState.IN_USE, away
    return VolumeState.PENDING, away or "no data has been written yet"


def _failed_removal(record: VolumeRecord) -> str:
    """Return why what is a member's could not be removed and what helps, empty where that did not fail."""
    said = in_vain.failure(record)
    return f"{said}: {in_vain.remedy(record)}" if said else ""


def _not_offered(record: VolumeRecord, cluster: ClusterView | None, held: Offers) -> str:
    """Return what keeps something from being given back that an agent has, and that only an offer of it lets go of."""
    hosts = sorted({offer.hostname for offer in held} or {record.agent.hostname if record.agent is not None else ""})
    aside = [host for host in hosts if cluster is not None and host in cluster.set_aside]
    if aside:
        return f"{', '.join(aside)} is deactivated or drained: what is there is given back after REACTIVATE_AGENT"
    if not held:
        return ""
    return (
        f"it is given back once Mesos offers it; where that takes long, another framework in role {record.mesos_role} "
        "holds or uses it, or nothing is free there"
    )


def _volume_is_missing(record: VolumeRecord, held: Offers) -> bool:
    if record.strategy is not Strategy.PERSISTENT_VOLUME or not record.initialised:
        return False
    ids = {r.persistence.id for offer in held for r in offer.resources if r.persistence is not None}
    return record.persistence_id not in ids


def _orphan(identity: DataIdentity, held: Offers) -> VolumeLine:
    """Return the line of what is ours and not in the ledger. On a static reservation nothing tells whose it was."""
    labels = next((r.labels for offer in held for r in offer.resources if r.labels is not None), None)
    namespace, database = (labels.namespace, labels.name) if labels is not None else ("", UNNAMED)
    data = counted(held, identity)
    volume = data[1] if data is not None else None
    note = (
        "a reservation without a volume of ours, not in the ledger: release it, or scan its agent for a directory"
        if volume is None
        else "in Mesos under our label, not in the ledger: adopt or release it"
    )
    return VolumeLine(
        name=volume_record_name(database, identity.ordinal, identity.uid),
        key=DatabaseKey(namespace=namespace, name=database),
        identity=identity,
        state=VolumeState.ORPHANED,
        strategy=Strategy.PERSISTENT_VOLUME if volume is not None else Strategy.HOST_PATH,
        agent=", ".join(offer.hostname for offer in held),
        where=volume.persistence.id if volume is not None and volume.persistence is not None else "",
        size_bytes=bytes_of_milli(volume.amount_milli) if volume is not None else 0,
        note="; ".join(filter(None, (note, beside_an_orphan(held, identity)))),
        held=held,
    )


def _running(record: VolumeRecord, held: Offers) -> VolumeLine:
    """Return the line of a running task that is not in the ledger. Its labels hold the entry."""
    note = f"{record.task_id} is running and not in the ledger: the operator writes it down once it is connected"
    note = "; ".join(filter(None, (note, beside_an_entry(record, held))))
    return replace(_entry(record, None, held), state=VolumeState.ORPHANED, note=note, record=None, task=record.task_id)
