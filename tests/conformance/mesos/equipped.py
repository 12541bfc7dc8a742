"""An agent with all that an agent can have: disks of each type, static reservations, two ranges of ports, attributes of
each type, a fault domain."""

import json
from pathlib import Path

from conformance.mesos.things import Json, scalar

ROLE, CHILD = "mysql", "mysql/db"
STATIC: Json = {"type": "STATIC", "role": ROLE}
ATTRIBUTES = "rack:r1;speed:2.5;slots:[1-4,8-9];site:a b;dotted:10.0.0.1"
DOMAIN = {"fault_domain": {"region": {"name": "eu"}, "zone": {"name": "eu-1"}}}
MOUNT_MEGABYTES = 512


class Equipment:
    """The flags of that agent; what its disks hold lies in a folder, on Mount disks of its own where that is needed."""

    def __init__(self, folder: Path) -> None:
        self.mounts = [folder / "mount0", folder / "mount1"]
        self._path = folder / "path"
        for root in (*self.mounts, self._path):
            root.mkdir()

    def resources(self) -> str:
        """Return `--resources`: where types of disks are named they are JSON."""
        on_path = disk(2048, "PATH", str(self._path))
        free, planted = (disk(MOUNT_MEGABYTES, "MOUNT", str(root)) for root in self.mounts)
        spans = [{"begin": 31000, "end": 31009}, {"begin": 31020, "end": 31029}]
        listed = [
            *(scalar("cpus", 4), scalar("mem", 8192), ports(spans), scalar("disk", 2048), on_path, free),
            *(
                {**resource, "role": ROLE}
                for resource in (
                    *(scalar("cpus", 2.5), scalar("mem", 1024), ports([{"begin": 32000, "end": 32009}])),
                    *(scalar("disk", 1024), planted),
                )
            ),
        ]
        return json.dumps(listed)

    def flags(self) -> dict[str, str]:
        """Return all flags that this agent has instead of the usual ones."""
        return {"resources": self.resources(), "attributes": ATTRIBUTES, "domain": json.dumps(DOMAIN)}


def disk(megabytes: float, kind: str, root: str) -> Json:
    return {**scalar("disk", megabytes), "disk": {"source": {"type": kind, kind.lower(): {"root": root}}}}


def ports(spans: list[Json]) -> Json:
    return {"name": "ports", "type": "RANGES", "ranges": {"range": spans}}


def kind_of(resource: Json) -> str | None:
    """Return the type of disk that a resource is of: ROOT, PATH or MOUNT."""
    if resource["name"] != "disk":
        return None
    kind: str = resource.get("disk", {}).get("source", {}).get("type", "ROOT")
    return kind
