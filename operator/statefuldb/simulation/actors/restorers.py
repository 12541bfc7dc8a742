"""Those who restore the whole API from a backup, as of etcd, and do then what docs/operations.md says.

They stop the operator, put the backup back, adopt what its ledger lacks, delete and give up once more what was deleted
and given up since, want once more what is wanted, and start the operator; now and then it was started too early.
"""

from typing import TYPE_CHECKING, Any

from statefuldb.model.conditions import Reason
from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP, LABEL_CLUSTER
from statefuldb.model.keeper import DATA_EXPECTED, OF_ANOTHER
from statefuldb.model.settings import FRAMEWORK_NAME
from statefuldb.model.volume_object import from_object
from statefuldb.planning.ledger.never_served import ANEW
from statefuldb.simulation.actors import scanners
from statefuldb.simulation.actors.administrators import CONFIG_MAPS, FRAMEWORK_RECORD
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.cluster.api import Backup

if TYPE_CHECKING:
    from statefuldb.simulation.world import World

Json = dict[str, Any]
# How old the backup is, how long it takes to bring the rest back, and how often the operator is started before that.
AGE_SECONDS = (5.0, 120.0)
WORK_SECONDS = (5.0, 40.0)
TOO_EARLY = 0.25
# How often, and how many times, they look at what the ledger lacks and what waits from then on.
LOOK_SECONDS = 10.0
LOOKS = 30
# A master that was started anew says for ten minutes nothing of an agent that has not come back, so long do they wait.
PATIENT_LOOKS = 90


class Restorers:
    """Those who restore the API. Of two backups the second is taken after the first was put back."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._under_way = False
        # The cluster's UUID, out of the copy of the operator's record that docs/operations.md has people keep.
        self._cluster = ""

    def back_up(self, dice: Dice) -> bool:
        """Take a backup, and put it back in a while; say whether that can be."""
        if self._under_way:
            return False
        self._under_way = True
        backup = self._world.api.backup()
        self._world.people.soon(dice.between(*AGE_SECONDS), lambda: self._restore(backup, dice))
        return True

    def put_back(self, backup: Backup) -> None:
        """Restore the API while no operator runs, and say so in the operator's record."""
        world = self._world
        world.stop_operators()
        status, record = world.api.exchange("GET", FRAMEWORK_RECORD)
        self._cluster = record["data"]["cluster"] if status == 200 else self._cluster
        world.api.put_back(backup)
        world.story.tell("people", "stop the operator, and restore the API from the backup")
        for wanted in world.people.wanted.values():
            # Whatever follows from that, a person has asked for it.
            wanted.at = world.schedule.now
        self._put_record_right()

    def _restore(self, backup: Backup, dice: Dice) -> None:
        self.put_back(backup)
        if dice.happens(TOO_EARLY):
            self._world.stopped = False
        self._world.people.soon(dice.between(*WORK_SECONDS), self._bring_back)

    def _put_record_right(self) -> None:
        """Write into the operator's record that there was a restore, and the framework that Mesos knows."""
        world = self._world
        frameworks = world.mesos.master.cluster.frameworks.values() if world.mesos.up else ()
        ours = {framework.id: framework.info for framework in frameworks if framework.info["name"] == FRAMEWORK_NAME}
        data = {"restoredAt": str(int(world.schedule.now))}
        status, record = world.api.exchange("GET", FRAMEWORK_RECORD)
        if ours and (status != 200 or record["data"].get("frameworkId") not in ours):
            framework_id = max(ours)
            labels = {label["key"]: label["value"] for label in ours[framework_id]["labels"]["labels"]}
            data |= {"cluster": labels[LABEL_CLUSTER], "frameworkId": framework_id}
            world.story.tell("people", f"write framework {framework_id} into the operator's record")
        if status == 200:
            world.api.exchange("PATCH", FRAMEWORK_RECORD, {"data": data}, "application/merge-patch+json")
        elif cluster := data.get("cluster") or self._cluster:
            # The backup is of before the first start.
            body = {"metadata": {"name": FRAMEWORK_CONFIG_MAP}, "data": {**data, "cluster": cluster}}
            world.api.exchange("POST", CONFIG_MAPS, body)
            world.story.tell("people", f"make the operator's record again, of cluster {cluster}")

    def _bring_back(self) -> None:
        world = self._world
        self._put_record_right()
        if world.copyists is not None:
            world.copyists.clear_away_again()
        self._look()
        world.people.apply_again()
        world.stopped, self._under_way = False, False
        world.story.tell("people", "all that is wanted is applied again, and the operator is started")
        world.people.soon((LOOKS + 1) * LOOK_SECONDS, lambda: scanners.look(world, last=True))
        for number in range(1, LOOKS + 1):
            world.people.soon(number * LOOK_SECONDS, self._look)
        for number in range(1, PATIENT_LOOKS + 1):
            world.people.soon(number * LOOK_SECONDS, self._begin_anew)
        world.people.soon(LOOK_SECONDS, world.begin_framework_anew)

    def _look(self) -> None:
        """Adopt what no entry tells of, and give up what was given up before."""
        scanners.look(self._world)
        self._world.administrators.release_again()

    def _begin_anew(self) -> None:
        """Delete, and apply once more, what waits for data that nobody ever wrote; say which data it is of several."""
        world = self._world
        for stored in world.people.stored():
            name = stored["metadata"]["name"]
            waits = stored.get("status", {}).get("plan", {}).get("waiting", [])
            if any(map(_for_data, waits)) and not self._was_written(stored["metadata"]["uid"]):
                world.people.recreate(name, with_data=True)
            elif any(wait["reason"] == Reason.AMBIGUOUS_RETAINED_VOLUMES for wait in waits):
                world.administrators.keep_latest(name)

    def _was_written(self, uid: str) -> bool:
        """Whether anybody wrote to a database of this uid, or to data that it has taken over and nobody gave up."""
        world = self._world
        entries = map(from_object, world.api.objects("databasevolumes"))
        uids = {uid, *(entry.identity.uid for entry in entries if entry.owner_uid == uid)}
        return any(map(world.clients.latest_row_of, (u for u in sorted(uids) if not world.laws.may_go(u))))


def _for_data(wait: Json) -> bool:
    """Whether a wait is for data that may be nowhere."""
    missing = wait["reason"] == Reason.VOLUME_MISSING
    elsewhere = any(said in wait["message"] for said in (DATA_EXPECTED, OF_ANOTHER))
    return missing or elsewhere or ANEW in wait.get("fix", "")
