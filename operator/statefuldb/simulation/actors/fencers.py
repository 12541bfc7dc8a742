"""Those who look after the file servers: they cut a lost agent off by hand, where no fence command may be run."""

from typing import TYPE_CHECKING, Any

from statefuldb.model.actions import FenceAgent
from statefuldb.model.conditions import Reason
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import from_object
from statefuldb.simulation.actors.administrators import VOLUMES
from statefuldb.simulation.cluster.surroundings import Fence

if TYPE_CHECKING:
    from statefuldb.simulation.world import World

Json = dict[str, Any]
# For what is told of in time a fence command is run long before that.
PATIENCE_SECONDS = 600.0


class Fencers:
    """They do what a wait for fencing says, once it has been there for long."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._since: dict[str, float] = {}

    def look(self) -> None:
        """Cut off what has been waited for long enough, and say so as `statefuldb fence` does."""
        world, now = self._world, self._world.schedule.now
        asked = {str(entry.task_id): entry for entry in map(from_object, world.api.objects("databasevolumes"))}
        fixes = [fix for stored in world.api.objects("statefuldatabases") for fix in _asked_for(stored)]
        waiting = {task: entry for task, entry in asked.items() if any(task in fix for fix in fixes)}
        self._since = {task: self._since.get(task, now) for task in waiting}
        for task, entry in waiting.items():
            if now - self._since[task] >= PATIENCE_SECONDS:
                self._since[task] = now
                self._cut_off(entry)

    def _cut_off(self, entry: VolumeRecord) -> None:
        world, launch = self._world, entry.launch
        if launch is None or entry.task_id is None or entry.dfs is None:
            return
        servers = Fence(
            hosts=world.hosts, mesos=world.mesos, api=world.api, story=world.story, wait_for_answer=lambda: None
        )
        servers.fence(FenceAgent(key=entry.key, task_id=entry.task_id, agent=launch.agent, dfs=entry.dfs))
        said = {"incarnation": launch.incarnation, "by": "people", "lostAtSeconds": None}
        body = {"spec": {"fencing": said}}
        status, _ = world.api.exchange("PATCH", f"{VOLUMES}/{entry.name}", body, "application/merge-patch+json")
        world.story.tell("people", f"confirm that {entry.task_id} is fenced: {status}")


def _asked_for(stored: Json) -> list[str]:
    """Return what is asked for that a database may serve again; what is to be stopped has time."""
    status, spec = stored.get("status", {}), stored["spec"]
    if spec.get("state") == "Stopped" or spec.get("replicas", 1) == 0:
        return []
    lost = any(c["type"] == "Ready" and c["reason"] == Reason.FENCING_REQUIRED for c in status.get("conditions", []))
    waits = status.get("plan", {}).get("waiting", []) if lost else []
    return [wait.get("fix", "") for wait in waits if wait["reason"] == Reason.FENCING_REQUIRED]
