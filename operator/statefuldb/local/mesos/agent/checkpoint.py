"""What an agent keeps of itself across its death, and when it refuses to start on it (slave.cpp, recover).

`meta/slaves/latest` names its id, as a real agent's does: without it the agent is a new one, with the resources it had.
"""

import contextlib
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.json_files import load_json, save_json
from statefuldb.local.mesos.resources.multiset import Bag

Json = dict[str, Any]
RULE = "\n" + "-" * 60 + "\n"


class Incompatible(Exception):
    """What the flags say contradicts what is kept: the agent must not start, unless as a new one."""


class Checkpoint:
    """The files in `meta` of one agent. Raises Incompatible, in Mesos's words."""

    def __init__(self, work_dir: Path, info: Json) -> None:
        self.folder = work_dir / "meta"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._latest = self.folder / "slaves" / "latest"
        self.id = self._latest.readlink().name if self._latest.is_symlink() else None
        self.total = _with_checkpointed(info["resources"], load_json(self.folder / "total.json", []))
        self.frameworks: dict[str, Json] = load_json(self.folder / "frameworks.json", {})
        before = load_json(self.folder / "info.json", None)
        if self.id is not None and before not in (None, info):
            shown = ("Incompatible agent info detected. \n", f"Old agent info:\n{before}", f"New agent info:\n{info}")
            way_out = f"To restart this agent with a new agent id instead, do as follows:\nrm -f {self._latest}"
            raise Incompatible(RULE.join((*shown, way_out)))
        save_json(self.folder / "info.json", info)

    def admitted(self, agent_id: str) -> None:
        """Keep the id that the master has given."""
        self.id = agent_id
        folder = self._latest.with_name(agent_id)
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            self._latest.symlink_to(folder)

    def keep_total(self, total: list[Json]) -> None:
        """Keep the resources as they now are, reservations and volumes included."""
        self.total = total
        save_json(self.folder / "total.json", total)

    def keep_framework(self, info: Json) -> None:
        """Keep what a framework says of itself."""
        self.frameworks[info["id"]["value"]] = info
        save_json(self.folder / "frameworks.json", self.frameworks)


def _with_checkpointed(flags: list[Json], kept: list[Json]) -> list[Json]:
    """Return the resources of the flags with what was reserved of them, volumes included. Raises Incompatible."""
    reserved = [one for one in kept if one != _as_in_flags(one)]
    if not reserved:
        return flags
    given, special, plain = Bag.of(flags), Bag.of(reserved), Bag.of(_as_in_flags(one) for one in reserved)
    if not given.contains(plain):
        raise Incompatible(
            f"Checkpointed resources {special.text()} are incompatible with agent resources {given.text()}: "
            f"Incompatible agent resources: {given.text()} does not contain {plain.text()}"
        )
    return (given - plain + special).to_json()


def _as_in_flags(resource: Json) -> Json:
    """Return a resource without what only a running cluster adds: dynamic reservations, a volume."""
    rest = {k: v for k, v in resource.items() if k not in ("reservations", "disk", "shared")}
    static = [one for one in resource.get("reservations", []) if one["type"] == "STATIC"]
    disk = {k: v for k, v in resource.get("disk", {}).items() if k == "source"}
    return {**rest, **({"reservations": static} if static else {}), **({"disk": disk} if disk else {})}
