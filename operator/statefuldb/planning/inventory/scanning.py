"""Directories that were found by their markers, against the ledger and what Mesos holds. Pure; no data is touched."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from statefuldb.model.found import FoundDirectory
from statefuldb.model.identity import DatabaseKey, DataIdentity, volume_record_name
from statefuldb.model.spec import DFS_ATTRIBUTE, AgentAttribute, DfsSpec, EngineType, Strategy
from statefuldb.model.volume import AgentRef, Intent, Unheard, VolumePhase, VolumeRecord
from statefuldb.planning.inventory.comparison import VolumeLine, VolumeState


class Standing(StrEnum):
    """Where a directory that was found stands."""

    KNOWN = "Known"  # the ledger has it, here
    ORPHANED = "Orphaned"  # ours, and in no entry: it can be adopted
    RUNNING = "Running"  # in no entry, but a task of ours uses it
    ELSEWHERE = "Elsewhere"  # ledger or Mesos have this member at another place: this is a copy, or was moved
    AMBIGUOUS = "Ambiguous"  # several directories say that they are the same member
    FOREIGN = "Foreign"  # another cluster's


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLine:
    """One directory as it is shown. `line` is what ledger or Mesos know of the same member."""

    name: str
    found: FoundDirectory
    standing: Standing
    note: str
    line: VolumeLine | None = None

    @property
    def strategy(self) -> Strategy:
        """What it lies on."""
        return Strategy.DFS if self.found.shared else Strategy.HOST_PATH


def stand(found: Iterable[FoundDirectory], lines: Sequence[VolumeLine], cluster: str) -> tuple[ScanLine, ...]:
    """Return a line for each directory: `cluster` (a UUID) tells whether it is ours, `lines` whether it is known."""
    by_identity = {line.identity: line for line in lines if line.state is not VolumeState.DAMAGED}
    damaged = [line for line in lines if line.state is VolumeState.DAMAGED]

    def known(identity: DataIdentity) -> VolumeLine | None:
        suffix = volume_record_name("", identity.ordinal, identity.uid)
        unread = (line for line in damaged if line.identity == identity or line.name.endswith(suffix))
        return by_identity.get(identity) or next(unread, None)

    directories = _distinct(found)
    times = Counter(each.identity for each in directories if not _held_elsewhere(each, known(each.identity)))
    return tuple(
        _line(each, known(each.identity), cluster, times[each.identity])
        for each in sorted(directories, key=lambda each: (each.directory, each.host))
    )


def _distinct(found: Iterable[FoundDirectory]) -> list[FoundDirectory]:
    """Return each directory once: what several hosts see on one shared file system is one, of no host."""
    distinct = [replace(each, host="") if each.shared else each for each in found]
    return list(dict.fromkeys(distinct))


def _held_elsewhere(found: FoundDirectory, line: VolumeLine | None) -> str:
    """Return the hosts that hold the member's reservation, where the one it was found on is not among them."""
    hosts = [offer.hostname for offer in line.held] if line is not None and not found.shared else []
    return ", ".join(hosts) if found.host and hosts and found.host not in hosts else ""


def _held_as_well(found: FoundDirectory, line: VolumeLine | None) -> str:
    """Return the other hosts that hold a reservation of the member: it may have left this one before there was data."""
    hosts = [offer.hostname for offer in line.held] if line is not None and not found.shared else []
    return ", ".join(host for host in hosts if host != found.host) if len(hosts) > 1 else ""


def _line(found: FoundDirectory, line: VolumeLine | None, cluster: str, times: int) -> ScanLine:
    standing, note = _standing(found, line, cluster, times)
    name = volume_record_name(found.database, found.identity.ordinal, found.identity.uid)
    return ScanLine(name=name, found=found, standing=standing, note=note, line=line)


def _standing(found: FoundDirectory, line: VolumeLine | None, cluster: str, times: int) -> tuple[Standing, str]:
    if found.identity.cluster != cluster:
        return Standing.FOREIGN, f"it belongs to cluster {found.identity.cluster}; nothing is done to it"
    if line is not None and line.state is VolumeState.DAMAGED:
        return Standing.KNOWN, f"in the ledger: {line.state}, {line.note}"
    if line is not None and line.record is not None:
        here = found.host in ("", line.agent) or found.shared != ""
        if line.record.directory == found.directory and here:
            return Standing.KNOWN, ", ".join([f"in the ledger: {line.state}", *([line.note] if line.others else [])])
        place = f"{line.where} on {line.agent}" if line.agent else line.where
        return Standing.ELSEWHERE, f"the ledger has this member at {place}: this is a copy, or was moved"
    if line is not None and line.task is not None:
        return Standing.RUNNING, line.note
    elsewhere = _held_elsewhere(found, line)
    if elsewhere:
        return Standing.ELSEWHERE, f"what is reserved for this member is on {elsewhere}: this is a copy, or was moved"
    if times > 1:
        return Standing.AMBIGUOUS, f"{times} directories say that they are this member: move all but one away"
    others = _held_as_well(found, line)
    more = f"; something is reserved for it on {others} as well: look there first" if others else ""
    return Standing.ORPHANED, f"ours by its marker, not in the ledger: adopt it with --adopt{more}"


def entry_of_directory(
    line: ScanLine, key: DatabaseKey, at_seconds: float, *, agent: AgentRef | None, mesos_role: str
) -> VolumeRecord:
    """Return the retained entry of an orphaned directory for the database `key`. `agent` pins it (HostPath).

    Raises ValueError where its engine is none of ours.
    """
    found = line.found
    held = line.line.held if line.line is not None else ()
    labels = {r.labels.reservation for offer in held for r in offer.resources if r.labels is not None}
    return VolumeRecord(
        name=line.name,
        key=key,
        owner_uid=found.identity.uid,
        identity=found.identity,
        engine=EngineType(found.engine),
        engine_version=".".join(found.version.split(".")[:2]),
        strategy=line.strategy,
        size_bytes=0,
        mesos_role=mesos_role,
        intent=Intent.RETAIN,
        agent=agent,
        directory=found.directory,
        root=found.root,
        dfs=_dfs(found) if found.shared else None,
        reservations=tuple(sorted(labels)),
        # The incarnations used before are forgotten; seconds since 1970 lie above any of them.
        incarnation=int(at_seconds),
        # So one of them may still hold what lies on a shared file system, on an agent that is away.
        unheard=Unheard(after=0, until=int(at_seconds)) if line.strategy is Strategy.DFS else None,
        made_with=found.made_with,
        initialised=True,
        # Of the launch that took the token a ledger that never knew it cannot say that it is over.
        token=0 if line.strategy is Strategy.DFS else found.token,
        phase=VolumePhase.RETAINED,
    )


def _dfs(found: FoundDirectory) -> DfsSpec:
    return DfsSpec(
        type=found.shared,
        mount_point=found.mount_point,
        sub_path=found.root.removeprefix(found.mount_point).strip("/"),
        source=None,
        agent_attribute=AgentAttribute(name=DFS_ATTRIBUTE, value=found.mount_point),
    )
