"""Disks of type Root, Path and Mount, and what may be done on each of them (Mesos docs, multiple-disk)."""

from typing import Any

import pytest

from conformance.mesos.conftest import Subscribe
from conformance.mesos.equipped import MOUNT_MEGABYTES, kind_of
from conformance.mesos.masters import Mesos
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import OURS, PRINCIPAL, Json, launch, operation, scalar, task

KINDS = ("ROOT", "PATH", "MOUNT")
COMPUTE = (scalar("cpus", 0.1), scalar("mem", 32))


@pytest.fixture(scope="module")
def mesos(equipped: Mesos) -> Mesos:
    """The master whose agent has disks of each type."""
    return equipped


def free(offer: Json, kind: str) -> Json:
    """Return the unreserved disk of a type as an operation names it: whole, and not allocated."""
    (found,) = [r for r in offer["resources"] if kind_of(r) == kind and "reservations" not in r]
    return {k: v for k, v in found.items() if k != "allocation_info"}


def part(disk: Json, kind: str, megabytes: float = 64) -> Json:
    """Return so much of a disk; all of it where it is a Mount disk."""
    return {**disk, "scalar": {"value": MOUNT_MEGABYTES if kind == "MOUNT" else megabytes}}


def reserved(disk: Json, **changes: Any) -> Json:
    return {**disk, "reservations": [OURS], **changes}


def volume_on(disk: Json, identity: str) -> Json:
    """Return a volume on a reserved disk."""
    info = {"persistence": {"id": identity, "principal": PRINCIPAL}, "volume": {"container_path": "data", "mode": "RW"}}
    return {**disk, "disk": {**disk.get("disk", {}), **info}}


def runs(one: Scheduler, name: str, command: str, *resources: Json, before: tuple[Json, ...] = ()) -> None:
    """Run a command to its end on an offer of everything, after other operations of the same ACCEPT."""
    offer = one.offer()
    one.accept(offer, *before, launch(task(name, offer["agent_id"], [*COMPUTE, *resources], command)))
    one.runs_to("TASK_FINISHED", name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_volume_lives_on_a_disk_of_each_type(subscribe: Subscribe, kind: str) -> None:
    one = subscribe()
    disk = reserved(part(free(one.offer(), kind), kind))
    volume = volume_on(disk, f"on-{kind}")
    made = (operation("RESERVE", [disk], "r"), operation("CREATE", [volume], "c"))
    runs(one, "writes", "test -d data && echo kept > data/file", volume, before=made)
    one.finished("r", "c")
    runs(one, "reads", "grep -q kept data/file", volume)
    gone = (operation("DESTROY", [volume], "d"), operation("CREATE", [volume], "again"))
    runs(one, "empty", 'test -z "$(ls -A data/)"', volume, before=gone)
    one.finished("d", "again")
    one.accept(one.offer(), operation("DESTROY", [volume], "d2"), operation("UNRESERVE", [disk], "u"))
    one.finished("d2", "u")
    assert free(one.offer(), kind)["scalar"] == free_amount(kind)


def free_amount(kind: str) -> Json:
    return {"value": MOUNT_MEGABYTES if kind == "MOUNT" else 2048.0}


def test_a_new_volume_on_a_mount_disk_shows_what_is_there_and_its_end_empties_it(subscribe: Subscribe) -> None:
    one = subscribe()
    disk = reserved(free(one.offer(), "MOUNT"))
    root = disk["disk"]["source"]["mount"]["root"]
    volume = volume_on(disk, "seen")
    made = (operation("RESERVE", [disk], "r"), operation("CREATE", [volume], "c"))
    runs(one, "leaves", f"mkdir {root}/old && echo of-another > {root}/old/file")
    runs(one, "sees", "grep -q of-another data/old/file", volume, before=made)
    one.accept(one.offer(), operation("DESTROY", [volume], "d"), operation("UNRESERVE", [disk], "u"))
    one.finished("r", "c", "d", "u")
    runs(one, "looks", f'test -d {root} && test -z "$(ls -A {root})"')


RESERVED = "(reservations: [(DYNAMIC,svc,svc-principal,{owner: t})])"
REFUSED = {
    "half of a Mount disk": " does not contain disk(allocated: svc)[MOUNT:{mount}]:256",
    "more than a Mount disk": " does not contain disk(allocated: svc)[MOUNT:{mount}]:1024",
    "half a volume of a Mount disk": " does not contain {reserved}[MOUNT:{mount}]:256",
    "half of a Mount disk back": " does not contain {reserved}[MOUNT:{mount}]:256",
    "of a Path disk as if it were Root": " does not contain {reserved}:64",
    "another path": " does not contain disk(allocated: svc)[PATH:/nowhere]:64",
    "more than a Path disk": " does not contain disk(allocated: svc)[PATH:{path}]:4096",
    "a volume of a Path disk larger than what is reserved": " does not contain {reserved}[PATH:{path}]:128",
    "a volume of no path": "Invalid resources: Invalid DiskInfo: Expecting 'volume' to be set for persistent volume",
    "a Path disk that is no volume": "Not a persistent volume: 'persistence' is not set in DiskInfo",
    "a Mount disk grown": "Incompatible resources in the 'GrowVolume.volume' and 'GrowVolume.addition' fields",
    "a Mount disk shrunk": "Shrinking a volume on a MOUNT disk is not supported",
    "the volume id of another disk of this role": "Persistence ID 'v' is not unique",
}


def wrong(disks: dict[str, Json]) -> dict[str, tuple[Json, ...]]:
    """Return wrong requests about disks; the last operation of each is the one that is refused."""
    mount, path, root = (reserved(disks[kind]) for kind in ("MOUNT", "PATH", "ROOT"))
    half = reserved(part(disks["MOUNT"], "PATH", MOUNT_MEGABYTES / 2))
    more = reserved(part(disks["MOUNT"], "PATH", MOUNT_MEGABYTES * 2))
    elsewhere = {"source": {"type": "PATH", "path": {"root": "/nowhere"}}}
    return {
        "half of a Mount disk": (operation("RESERVE", [half], "x"),),
        "more than a Mount disk": (operation("RESERVE", [more], "x"),),
        "half a volume of a Mount disk": (
            operation("RESERVE", [mount], "r"),
            operation("CREATE", [volume_on(half, "v")], "x"),
        ),
        "half of a Mount disk back": (operation("RESERVE", [mount], "r"), operation("UNRESERVE", [half], "x")),
        "of a Path disk as if it were Root": (
            operation("RESERVE", [part(path, "PATH")], "r"),
            operation("CREATE", [volume_on(part(root, "ROOT"), "v")], "x"),
        ),
        "another path": (operation("RESERVE", [reserved(part({**disks["ROOT"], "disk": elsewhere}, "PATH"))], "x"),),
        "more than a Path disk": (operation("RESERVE", [part(path, "PATH", 4096)], "x"),),
        "a volume of a Path disk larger than what is reserved": (
            operation("RESERVE", [part(path, "PATH")], "r"),
            operation("CREATE", [volume_on(part(path, "PATH", 128), "v")], "x"),
        ),
        "a volume of no path": (
            operation("RESERVE", [part(path, "PATH")], "r"),
            operation("CREATE", [{**part(path, "PATH"), "disk": {**path["disk"], "persistence": {"id": "v"}}}], "x"),
        ),
        "a Path disk that is no volume": (
            operation("RESERVE", [part(path, "PATH")], "r"),
            operation("CREATE", [part(path, "PATH")], "x"),
        ),
        "a Mount disk grown": (
            operation("RESERVE", [mount], "r"),
            operation("CREATE", [volume_on(mount, "v")], "c"),
            {
                "type": "GROW_VOLUME",
                "id": {"value": "x"},
                "grow_volume": {"volume": volume_on(mount, "v"), "addition": part(root, "ROOT")},
            },
        ),
        "a Mount disk shrunk": (
            operation("RESERVE", [mount], "r"),
            operation("CREATE", [volume_on(mount, "v")], "c"),
            {
                "type": "SHRINK_VOLUME",
                "id": {"value": "x"},
                "shrink_volume": {"volume": volume_on(mount, "v"), "subtract": {"value": 64}},
            },
        ),
        "the volume id of another disk of this role": (
            operation("RESERVE", [part(path, "PATH"), part(root, "ROOT")], "r"),
            operation("CREATE", [volume_on(part(path, "PATH"), "v")], "c"),
            operation("CREATE", [volume_on(part(root, "ROOT"), "v")], "x"),
        ),
    }


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_request_about_a_disk_is_refused_with_its_reason(subscribe: Subscribe, name: str) -> None:
    one = subscribe()
    offer = one.offer()
    disks = {kind: free(offer, kind) for kind in KINDS}
    one.accept(offer, *wrong(disks)[name])
    names = {kind.lower(): disks[kind]["disk"]["source"][kind.lower()]["root"] for kind in ("PATH", "MOUNT")}
    assert REFUSED[name].format(reserved=f"disk(allocated: svc){RESERVED}", **names) in one.refused("x")
    one.finished(*(step["id"]["value"] for step in wrong(disks)[name][:-1]))
