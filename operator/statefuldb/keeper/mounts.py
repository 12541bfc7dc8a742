"""What is mounted where, from the kernel's own table (proc(5), mountinfo)."""

import os
from dataclasses import dataclass
from pathlib import Path

from statefuldb.keeper.refusal import Refused
from statefuldb.model.keeper import DataLocation

_KERNEL_NAMES = {
    "NFS": ("nfs", "nfs4", "fuse.nfs"),
    "CephFS": ("ceph", "fuse.ceph", "fuse.ceph-fuse"),
    "GlusterFS": ("fuse.glusterfs",),
    "MooseFS": ("fuse.mfs",),
    "Lustre": ("lustre",),
}


# Options under which flock is this machine's own affair (nfs(5), mount.lustre(8)): the claim would stop nobody.
_LOCAL_LOCKS = {
    "NFS": ("nolock", "local_lock=all", "local_lock=flock"),
    "Lustre": ("localflock", "noflock"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of the mount table. `options` are those of the mount and of the file system together."""

    number: int
    mount_point: str
    filesystem: str
    source: str
    options: frozenset[str] = frozenset()


def mount_table() -> str:
    """Return the text of the kernel's table."""
    return Path("/proc/self/mountinfo").read_text()


def read_mounts(table: str) -> tuple[Mount, ...]:
    """Return the mounts in the text of a mountinfo table, in its order: a later one hides an earlier one."""
    mounts = []
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if len(fields) >= 5 and len(tail) >= 2:
            # The kernel writes blanks and the like in octal, and all else as it is.
            mount_point = os.fsdecode(os.fsencode(fields[4]).decode("unicode_escape").encode("latin-1"))
            options = frozenset(fields[5].split(",") if len(fields) > 5 else ()) | frozenset(tail[-1].split(","))
            mounts.append(
                Mount(
                    number=int(fields[0]), mount_point=mount_point, filesystem=tail[0], source=tail[1], options=options
                )
            )
    return tuple(mounts)


def mount_of(path: Path, table: str | None = None) -> Mount:
    """Return the mount that a path lies on, one without names where none is shown: in a chroot the root may be none."""
    text = table if table is not None else mount_table()
    above = [m for m in read_mounts(text) if path.is_relative_to(m.mount_point)]
    if not above:
        return Mount(number=0, mount_point="", filesystem="", source="")
    longest = max(len(m.mount_point) for m in above)
    return [m for m in above if len(m.mount_point) == longest][-1]


def mounted_below(path: Path, table: str | None = None) -> set[Path]:
    """Return every mount point that is a path or lies below it."""
    text = table if table is not None else mount_table()
    points = (Path(mount.mount_point) for mount in read_mounts(text))
    return {point for point in points if point.is_relative_to(path)}


def shared_type(filesystem: str) -> str:
    """Return the `dfs.type` that the kernel's name of a file system stands for; empty for a local one."""
    return next((name for name, known in _KERNEL_NAMES.items() if filesystem in known), "")


def mount_number(path: Path) -> int | None:
    """Return the number of the mount that a path lies on, as the kernel says; None before Linux 3.15, which does not.

    The table alone does not tell: a later mount further up hides an earlier one below it.
    """
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        told = Path(f"/proc/self/fdinfo/{descriptor}").read_text().split()
    finally:
        os.close(descriptor)
    return int(told[told.index("mnt_id:") + 1]) if "mnt_id:" in told else None


def check_place(data: DataLocation, *paths: Path) -> None:
    """Refuse unless the mount is right (`check_mount`), and paths lie on that very one, not only below its mount point.

    Of a path that is not there yet, that is said of the nearest folder above it. Raises Refused.
    """
    if data.mount_point is None:
        return
    top, seen = Path(os.path.realpath(data.mount_point)), []
    for path in paths:
        real = Path(os.path.realpath(path))
        there = next(folder for folder in (real, *real.parents) if folder.exists())
        seen.append((path, real, there, mount_number(there)))
    # Read only now: what is looked for may have been mounted for that.
    table = mount_table()
    checked = check_mount(data, table)
    only = f"allowed is only what lies on the {data.filesystem} mount {data.mount_point}, whose locks were looked at"
    for path, real, there, number in seen:
        if not real.is_relative_to(top):
            raise Refused(f"{path} leads to {real}, out of {top}; {only}: replace the link by a directory")
        found = mount_of(there, table) if number is None else _numbered(number, table)
        if found is None:
            raise Refused(f"{there} lies on a mount that is not shown here, {only}: unmount what hides it")
        if found != checked and not _is_of_the_same_server(data, found, checked):
            raise Refused(
                f"{there} lies on the {found.filesystem} mount {found.mount_point} (from {found.source}), {only}: "
                f"unmount {found.mount_point}, or name it as dfs.mountPoint of a new database"
            )


def check_mount(data: DataLocation, table: str) -> Mount | None:
    """Return the mount that was asked for, None where none was. Raises Refused unless it is as it should be."""
    if data.mount_point is None:
        return None
    found = [m for m in read_mounts(table) if m.mount_point == data.mount_point.rstrip("/")]
    if not found:
        raise Refused(f"{data.mount_point} is not a mount point on this agent")
    mount = found[-1]
    kernel_names = _KERNEL_NAMES.get(data.filesystem or "", ())
    if mount.filesystem not in kernel_names:
        raise Refused(
            f"{data.mount_point} is a {mount.filesystem} mount, not {data.filesystem} ({' or '.join(kernel_names)})"
        )
    if data.source is not None and mount.source != data.source:
        raise Refused(f"{data.mount_point} is mounted from {mount.source}, not from {data.source}")
    _check_locks(data, mount)
    return mount


def made_by_the_client(found: Mount, above: Mount) -> bool:
    """Say whether a mount is one that an NFS client makes by itself where its server's file systems meet (nfs(5))."""
    of_one_kind = shared_type(above.filesystem) == "NFS" and found.filesystem == above.filesystem
    return of_one_kind and found.source.partition(":/")[0] == above.source.partition(":/")[0]


def _is_of_the_same_server(data: DataLocation, found: Mount, checked: Mount | None) -> bool:
    """Say whether a mount has the locks of the one that was checked, as it has the options of the mount above it."""
    if checked is None or not made_by_the_client(found, checked):
        return False
    _check_locks(data, found)
    return True


def _numbered(number: int, table: str) -> Mount | None:
    return next((mount for mount in read_mounts(table) if mount.number == number), None)


def _check_locks(data: DataLocation, mount: Mount) -> None:
    local = sorted(mount.options.intersection(_LOCAL_LOCKS.get(data.filesystem or "", ())))
    if local:
        raise Refused(
            f"{mount.mount_point} is mounted with {', '.join(local)}: locks do not reach the other agents, so nothing "
            "would keep a second server away; mount it without"
        )
    if data.filesystem == "Lustre" and "flock" not in mount.options:
        raise Refused(f"{mount.mount_point} is mounted without flock: mount it with -o flock")
