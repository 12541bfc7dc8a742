"""What one ACCEPT can do to what was offered (Mesos v1 `Offer.Operation`), as a closed union."""

from dataclasses import dataclass

from statefuldb.model.identity import TaskId
from statefuldb.model.keeper import KeeperConfig
from statefuldb.model.resources import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """RESERVE: `resources` already carry the new reservation."""

    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreserve:
    """UNRESERVE exactly these resources."""

    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """CREATE one persistent volume."""

    volume: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """DESTROY one persistent volume, and the data on it."""

    volume: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Grow:
    """GROW_VOLUME by reserved disk that is like it. What it gives is for a later ACCEPT to use, never for this one."""

    volume: Resource
    addition: Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchTask:
    """LAUNCH one keeper on `resources`.

    `ledger` is the entry in JSON; it travels as a label of the task, so that a running task can always be told whose
    it is, with the whole ledger gone.
    """

    task_id: TaskId
    name: str
    agent_id: str
    resources: tuple[Resource, ...]
    keeper: KeeperConfig
    grace_seconds: int
    ledger: str


Operation = Reserve | Unreserve | Create | Destroy | Grow | LaunchTask
