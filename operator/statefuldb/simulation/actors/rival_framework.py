"""Another framework in our role: what it is offered it launches on or sits on, and after a while it leaves."""

from typing import Any

from statefuldb.local.mesos.master.master import Refused
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.cluster.mesos import Mesos

Json = dict[str, Any]
ROLE = "statefuldb"


class RivalFramework:
    """A framework that knows nothing of reservations: what Mesos offers, it uses."""

    def __init__(self, mesos: Mesos, dice: Dice) -> None:
        self._mesos = mesos
        self._dice = dice
        self._tasks = 0
        self._id = ""
        info = {
            "name": "batch",
            "user": "root",
            "roles": [ROLE],
            "capabilities": [{"type": t} for t in ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE")],
        }
        self._stream = mesos.subscribe({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}, self, ours=False)

    def receive(self, event: Json) -> None:
        """Take an event."""
        match event["type"]:
            case "SUBSCRIBED":
                self._id = event["subscribed"]["framework_id"]["value"]
            case "OFFERS":
                for offer in event["offers"]["offers"]:
                    if self._dice.happens(0.5):
                        self._launch(offer)
            case "UPDATE" if "uuid" in event["update"]["status"]:
                status = event["update"]["status"]
                named = {name: status[name] for name in ("agent_id", "task_id", "uuid")}
                self._call("ACKNOWLEDGE", acknowledge=named)

    def closed(self) -> None:
        """Take in that the stream has ended: it does not come back."""
        self._stream = None

    def leave(self) -> None:
        """Go, and give back all that is held."""
        self._call("TEARDOWN")

    def _launch(self, offer: Json) -> None:
        """Run something that takes an agent's cpus and memory, those reserved for the role too."""
        wanted = [r for r in offer["resources"] if r["name"] in ("cpus", "mem")]
        if not wanted:
            return
        self._tasks += 1
        task = {
            "name": "batch",
            "task_id": {"value": f"batch-{self._id}-{self._tasks}"},
            "agent_id": offer["agent_id"],
            "resources": wanted,
            "command": {"value": "sleep 1000"},
        }
        operation = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
        self._call("ACCEPT", accept={"offer_ids": [offer["id"]], "operations": [operation], "filters": {}})

    def _call(self, kind: str, **body: Any) -> None:
        if self._stream is None:
            return
        try:
            self._mesos.call({"type": kind, "framework_id": {"value": self._id}, **body}, self._stream, ours=False)
        except (OSError, Refused):
            self._stream = None
