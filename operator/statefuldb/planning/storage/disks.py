"""The disk that a volume lies on: it grows by more of the same, set aside as it is, and by nothing else."""

from statefuldb.model.resources import Resource
from statefuldb.model.volume import VolumeDisk


def disk_of(resource: Resource) -> VolumeDisk:
    """Return the disk that a resource is a part of. What is reserved on top of that comes and goes."""
    static_role = next((level.role for level in resource.reservations if not level.dynamic), "")
    return VolumeDisk(type=resource.source.type, root=resource.source.root, static_role=static_role)


def is_free(resource: Resource, disk: VolumeDisk) -> bool:
    """Say whether a resource is a part of this disk that nobody has reserved at run time, and no volume lies on."""
    reserved = any(level.dynamic for level in resource.reservations)
    return resource.name == "disk" and resource.persistence is None and not reserved and disk_of(resource) == disk


def in_words(disk: VolumeDisk | None, hostname: str) -> str:
    """Return the disk of a host as far as it is known, for a person to look at."""
    if disk is None:
        return hostname
    place = f"disk {disk.root} of {hostname}" if disk.root else hostname
    return f"what is set aside for {disk.static_role} on {place}" if disk.static_role else place
