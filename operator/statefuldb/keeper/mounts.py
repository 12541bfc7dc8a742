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

    mount_point: str
    filesystem: str
    source: str
    options: frozenset[str] = frozenset()


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
            mounts.append(Mount(mount_point=mount_point, filesystem=tail[0], source=tail[1], options=options))
    return tuple(mounts)


def mount_of(path: Path, table: str | None = None) -> Mount:
    """Return the mount that a path lies on, one without names where none is shown: in a chroot the root may be none."""
    text = table if table is not None else Path("/proc/self/mountinfo").read_text()
    above = [m for m in read_mounts(text) if path.is_relative_to(m.mount_point)]
    if not above:
        return Mount(mount_point="", filesystem="", source="")
    longest = max(len(m.mount_point) for m in above)
    return [m for m in above if len(m.mount_point) == longest][-1]


def mounted_below(path: Path, table: str | None = None) -> set[Path]:
    """Return every mount point that is a path or lies below it."""
    text = table if table is not None else Path("/proc/self/mountinfo").read_text()
    points = (Path(mount.mount_point) for mount in read_mounts(text))
    return {point for point in points if point.is_relative_to(path)}


def shared_type(filesystem: str) -> str:
    """Return the `dfs.type` that the kernel's name of a file system stands for; empty for a local one."""
    return next((name for name, known in _KERNEL_NAMES.items() if filesystem in known), "")


def check_mount(data: DataLocation, table: str | None = None) -> None:
    """Refuse unless the shared file system that was asked for is mounted where it should be. Raises Refused."""
    if data.mount_point is None:
        return
    text = table if table is not None else Path("/proc/self/mountinfo").read_text()
    found = [m for m in read_mounts(text) if m.mount_point == data.mount_point.rstrip("/")]
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


def _check_locks(data: DataLocation, mount: Mount) -> None:
    local = sorted(mount.options.intersection(_LOCAL_LOCKS.get(data.filesystem or "", ())))
    if local:
        raise Refused(
            f"{data.mount_point} is mounted with {', '.join(local)}: locks do not reach the other agents, so nothing "
            "would keep a second server away; mount it without"
        )
    if data.filesystem == "Lustre" and "flock" not in mount.options:
        raise Refused(f"{data.mount_point} is mounted without flock: mount it with -o flock")
