"""What stands in the way of an uninstallation, and what it leaves behind. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from statefuldb.model.identity import DatabaseKey
from statefuldb.model.volume import Intent
from statefuldb.planning.commands import command, delete_entry, edit_entry
from statefuldb.planning.inventory.comparison import VolumeLine, VolumeState

_HELP = {
    VolumeState.PENDING: "start the operator, so that it lets go of it",
    VolumeState.IN_USE: "start the operator, so that it retains it; then release it",
    VolumeState.RETAINED: "{release}",
    VolumeState.ORPHANED: "{release}",
    VolumeState.MISSING: "{release}",
    VolumeState.DAMAGED: "{edit}: put right what `{list}` names",
    VolumeState.LOST: "{release}, and bring {agent} back",
}
_ANOTHER_FIRST = "uninstall that installation before this one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Something that must be dealt with first, and how."""

    what: str
    remedy: str


def obstacles(
    databases: Iterable[DatabaseKey],
    lines: Iterable[VolumeLine],
    away: Sequence[VolumeLine],
    *,
    cluster: str,
    leave_lost: bool,
) -> tuple[Obstacle, ...]:
    """Return everything that forbids to uninstall `cluster`: databases, and data that nobody has released.

    What another installation is giving back is its own to take out of the ledger. `away` are released volumes whose
    agent is not registered; with `leave_lost` they may stay where they are.
    """
    lines = tuple(lines)
    clusters = {line.key: line.identity.cluster for line in lines if line.identity.cluster}
    found = [_exists(key, clusters.get(key, cluster), cluster) for key in databases]
    for line in lines:
        unclear = line.others or line.state is VolumeState.DAMAGED
        if line.identity.cluster != cluster and not unclear:
            found.append(_anothers(line))
        elif line.others or line.state in _HELP:
            found.append(_kept(line))
    found += [
        Obstacle(
            what=f"volume {line.key.namespace}/{line.name} is released, but {line.agent} is not registered",
            remedy=f"bring {line.agent} back, or leave what it holds there: --leave-lost",
        )
        for line in away
        if not leave_lost
    ]
    return tuple(found)


def _exists(key: DatabaseKey, of_cluster: str, cluster: str) -> Obstacle:
    if of_cluster != cluster:
        return Obstacle(what=f"database {key} exists, of cluster {of_cluster}", remedy=_ANOTHER_FIRST)
    return Obstacle(what=f"database {key} exists", remedy=command(key.namespace, "delete", key.name))


def _anothers(line: VolumeLine) -> Obstacle:
    # No word of releasing it: who uninstalls the one installation need not know what the other one keeps.
    remedy = "start the operator of that installation, which gives it back"
    return Obstacle(
        what=f"volume {line.key.namespace}/{line.name} is {line.state}, of cluster {line.identity.cluster}",
        remedy=remedy if line.state is VolumeState.RELEASING else _ANOTHER_FIRST,
    )


def _kept(line: VolumeLine) -> Obstacle:
    namespace, name = line.key.namespace, line.name
    what = f"volume {namespace}/{name} is {line.state}"
    if line.others:
        # An entry is deleted without any data: while there is another one, nothing is done about either.
        remedy = f"where it is this one: {delete_entry(namespace, name)}"
        return Obstacle(what=f"{what}, and {line.note}", remedy=remedy)
    if line.later and line.intent == Intent.RETAIN:
        return Obstacle(what=f"{what}: {line.note}", remedy=delete_entry(namespace, name))
    remedy = _HELP[line.state].format(
        release=command(namespace, "volumes", "release", name),
        edit=edit_entry(namespace, name),
        list=command(namespace, "volumes", "list"),
        agent=line.agent,
    )
    return Obstacle(what=what, remedy=remedy)


def directories(lines: Iterable[VolumeLine]) -> tuple[str, ...]:
    """Return the directories of released data that only a running operator could have emptied."""
    return tuple(
        f"{line.where} on {line.agent or 'the shared file system'}"
        for line in lines
        if line.record is not None and line.record.directory
    )
