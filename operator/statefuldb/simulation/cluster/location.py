"""Where a simulated keeper's data lies, and whose it is: what `keeper/directory.py` finds on a disk or a mount."""

from typing import TYPE_CHECKING

from statefuldb.model.identity import TaskId
from statefuldb.model.keeper import KeeperConfig
from statefuldb.simulation.cluster.storage import Directory, FileSystem

if TYPE_CHECKING:
    from statefuldb.simulation.cluster.host import Host


class Refused(Exception):
    """Something that must be true before data is opened is not. What opened it is told as by a keeper's status."""

    def __init__(self, reason: str, opened_by: str = "", opened_number: int = 0) -> None:
        super().__init__(reason)
        self.opened_by, self.opened_number = opened_by, opened_number


def identity_of(config: KeeperConfig) -> dict[str, object]:
    """Return what the marker in a member's directory says."""
    return {"cluster": config.cluster, "uid": config.uid, "ordinal": config.ordinal, "engine": config.engine}


def is_anothers(directory: Directory, config: KeeperConfig) -> bool:
    """Whether a directory is marked as another member's: nothing is left there of this one's."""
    held, mine = directory.identity, identity_of(config)
    return held is not None and (held["uid"], held["ordinal"]) != (mine["uid"], mine["ordinal"])


def check_launch(config: KeeperConfig, directory: Directory) -> None:
    """Refuse shared data where the launch that opened it last may not be over (`keeper/opener.py`). Raises Refused."""
    by, entry = directory.launch
    last = TaskId.parse(by)
    if config.data.mount_point is None or last is None or by == config.task_id:
        return
    if config.unheard_of(last):
        raise Refused(
            f"{directory.place} was opened last by {by}, of which the ledger does not know", entry, last.incarnation
        )


def place_of(config: KeeperConfig, host: "Host", volume: str) -> Directory:
    """Return the member's directory, made where there is none. Raises Refused."""
    if config.data.root is None:
        if volume not in host.volumes.directories:
            raise Refused("the persistent volume is not mounted in the sandbox")
        return host.volumes.directories[volume]
    files, path = where_of(config, host)
    return files.open(path, "shared" if files is host.shared else host.hostname)


def where_of(config: KeeperConfig, host: "Host") -> tuple[FileSystem, str]:
    """Return the file system of a member that has no persistent volume, and the path there. Raises Refused."""
    place = config.data
    if place.mount_point is None:
        return host.disk, place.directory
    if host.shared is None or host.fenced:
        raise Refused(f"{place.mount_point} is not mounted")
    return host.shared, place.directory
