"""What no plan may say of the shared file system on which data lies: it is what is checked, and what is cut off.

A keeper that checks another mount opens whatever lies in the directory, shared or not, under a lock that may reach
nobody; and an agent that is cut off from another file system goes on writing.
"""

from collections.abc import Iterable, Iterator

from statefuldb.model.actions import AcceptOffers, Action, FenceAgent
from statefuldb.model.keeper import DataLocation
from statefuldb.model.operations import LaunchTask
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.laws.violation import Violation


def broken_by(action: Action, records: Iterable[VolumeRecord]) -> Iterator[Violation]:
    """Yield the law that is broken by an action which takes another file system for that of the data."""
    match action:
        case AcceptOffers(operations=operations):
            for task in (operation for operation in operations if isinstance(operation, LaunchTask)):
                place = task.keeper.data
                if not _is_checked(place):
                    what = f"the keeper of {task.task_id} would check {place.mount_point}, and open {place.directory}"
                    yield Violation(law="one_writer", message=what)
        case FenceAgent(task_id=task_id, agent=agent, dfs=dfs):
            of_member = (r for r in records if (r.identity.uid, r.identity.ordinal) == (task_id.uid, task_id.ordinal))
            places = [record.directory for record in of_member]
            if not places or not all(_lies_below(place, dfs.mount_point) for place in places):
                data = ", ".join(map(str, places)) or "what is in no entry"
                what = f"{agent.hostname} would be cut off from {dfs.mount_point}, the data of {task_id} is {data}"
                yield Violation(law="one_writer", message=what)
        case _:
            pass


def _is_checked(place: DataLocation) -> bool:
    """Say whether the keeper looks at the mount on which the data lies, where it lies on one."""
    if place.mount_point is None:
        return place.strategy != Strategy.DFS
    return _lies_below(place.directory, place.mount_point)


def _lies_below(directory: str | None, mount_point: str) -> bool:
    return directory is not None and directory.startswith(mount_point.rstrip("/") + "/")
