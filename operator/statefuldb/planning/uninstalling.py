"""What stands in the way of an uninstallation, and what it leaves behind. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from statefuldb.model.identity import DatabaseKey
from statefuldb.planning.inventory import VolumeLine, VolumeState

_HELP = {
    VolumeState.PENDING: "start the operator, so that it lets go of it",
    VolumeState.IN_USE: "start the operator, so that it retains it; then release it",
    VolumeState.RETAINED: "statefuldb -n {namespace} volumes release {name}",
    VolumeState.ORPHANED: "statefuldb -n {namespace} volumes release {name}",
    VolumeState.MISSING: "statefuldb -n {namespace} volumes release {name}",
    VolumeState.DAMAGED: "kubectl edit databasevolume {name} -n {namespace}: put right what `volumes list` names",
    VolumeState.LOST: "statefuldb -n {namespace} volumes release {name}, and bring {agent} back",
}

# An entry is deleted without any data: while there is another one, nothing is done about either.
_DELETE = "kubectl delete databasevolume {name} -n {namespace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Something that must be dealt with first, and how."""

    what: str
    remedy: str


def obstacles(
    databases: Iterable[DatabaseKey], lines: Iterable[VolumeLine], away: Sequence[VolumeLine], *, leave_lost: bool
) -> tuple[Obstacle, ...]:
    """Return everything that forbids to uninstall: databases, and data that nobody has released.

    `away` are released volumes whose agent is not registered; with `leave_lost` they may stay where they are.
    """
    found = [
        Obstacle(
            what=f"database {key} exists",
            remedy=f"statefuldb -n {key.namespace} delete {key.name}",
        )
        for key in databases
    ]
    found += [_kept(line) for line in lines if line.others or line.state in _HELP]
    found += [
        Obstacle(
            what=f"volume {line.key.namespace}/{line.name} is released, but {line.agent} is not registered",
            remedy=f"bring {line.agent} back, or leave what it holds there: --leave-lost",
        )
        for line in away
        if not leave_lost
    ]
    return tuple(found)


def _kept(line: VolumeLine) -> Obstacle:
    what, help_ = f"volume {line.key.namespace}/{line.name} is {line.state}", _HELP.get(line.state, "")
    if line.others:
        what, help_ = f"{what}, and {line.note}", f"where it is this one: {_DELETE}"
    return Obstacle(what=what, remedy=help_.format(namespace=line.key.namespace, name=line.name, agent=line.agent))


def directories(lines: Iterable[VolumeLine]) -> tuple[str, ...]:
    """Return the directories of released data that only a running operator could have emptied."""
    return tuple(
        f"{line.where} on {line.agent or 'the shared file system'}"
        for line in lines
        if line.record is not None and line.record.directory
    )
