"""What machines there are in a varied world: in which zone each stands, and what disks it has."""

from typing import Any

from statefuldb.local.mesos.resources.flags import parse_resources
from statefuldb.simulation.clockwork.dice import Dice

Json = dict[str, Any]
REGION = "region-1"
ZONES = ("zone-a", "zone-b", "zone-c")
USUAL = "cpus:4;mem:8192;disk:40960;ports:[31000-31063]"
# As large as its file system, which nobody makes of whole MiB.
MOUNT_MEBIBYTES = 20480.5
PATH_MEBIBYTES = 10240.0


def domain(zone: str) -> Json:
    """Return a fault domain (Mesos docs, fault-domains)."""
    return {"fault_domain": {"region": {"name": REGION}, "zone": {"name": zone}}}


def zone_of(number: int) -> str:
    """Return where the machine of this number stands."""
    return ZONES[number % len(ZONES)]


def resources_of(dice: Dice) -> list[Json]:
    """Return what a machine offers: as much as any other, and some disks besides the one of its system.

    One that is shared and one or two that are given whole (Mesos docs, multiple-disk): who asks for either is served.
    """
    mounts = [_disk("MOUNT", f"/mnt/disk{n}", MOUNT_MEBIBYTES) for n in range(1 + dice.below(2))]
    return [*parse_resources(USUAL), *mounts, _disk("PATH", "/mnt/shared-disk", PATH_MEBIBYTES)]


def _disk(kind: str, root: str, mebibytes: float) -> Json:
    source = {"type": kind, kind.lower(): {"root": root}}
    return {"name": "disk", "type": "SCALAR", "scalar": {"value": mebibytes}, "disk": {"source": source}}
