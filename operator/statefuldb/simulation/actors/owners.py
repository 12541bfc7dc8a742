"""What careful and careless owners do in a varied world: they stop, pause, want to be asked first, grow and err.

What is begun here is ended here, or told by the manifest that a person applies again (`put_right`).
"""

from typing import TYPE_CHECKING, Any

from statefuldb.simulation.clockwork.dice import Dice

if TYPE_CHECKING:
    from statefuldb.simulation.actors.people import People

Json = dict[str, Any]
MEANWHILE_SECONDS = (2.0, 60.0)
LOOK_SECONDS = (2.0, 20.0)
RISKS = ("NonDisruptive", "Restart", "Failover")
SIZES = ("1Gi", "2Gi", "3Gi")
ERROR = {"datadir": "/elsewhere"}


class Owners:
    """More that people do, each with the name of a database."""

    def __init__(self, people: "People", dice: Dice) -> None:
        self._people = people
        self._dice = dice
        self._hashes: dict[str, str] = {}

    def begin(self) -> None:
        """Look now and then for plans that wait for approval."""
        self._people.schedule.after(self._dice.between(*LOOK_SECONDS), self._look)

    def vary(self, manifest: Json) -> None:
        """Give a manifest what some have: a disk of its own, or a wish to be asked."""
        storage, dice = manifest["spec"]["storage"], self._dice
        if storage["strategy"] == "PersistentVolume" and dice.happens(0.3):
            storage["persistentVolume"] = {"diskType": dice.pick(("Mount", "Path"))}
        if dice.happens(0.2):
            manifest["spec"]["reconcile"] = {"autoApprove": list(RISKS[: dice.below(len(RISKS))])}

    def stop(self, name: str) -> None:
        """Stop a database, and have it run again."""
        self._for_a_while(name, {"state": "Stopped"}, {"state": "Running"})

    def pause(self, name: str) -> None:
        """Have nothing done for a while."""
        self._for_a_while(name, {"reconcile": {"mode": "Paused"}}, {"reconcile": {"mode": "Apply"}})

    def look_first(self, name: str) -> None:
        """Have a database's whole plan shown for a while, and approve what it says."""
        self._for_a_while(name, {"reconcile": {"mode": "PlanOnly"}}, {"reconcile": {"mode": "Apply"}})

    def resize_disk(self, name: str) -> None:
        """Ask for more disk; or for less, which is refused, and take that back. A whole disk is as large as it is."""
        stored = self._people.find(name)
        storage = stored["spec"]["storage"] if stored is not None else None
        if storage is None or storage.get("persistentVolume", {}).get("diskType") == "Mount":
            return
        present, wanted = storage["size"], self._dice.pick(SIZES)
        if wanted >= present:
            self._people.edit(name, {"storage": {"size": wanted}})
        else:
            self._for_a_while(name, {"storage": {"size": wanted}}, {"storage": {"size": present}})

    def err(self, name: str) -> None:
        """Ask for what no database may have, and take it back."""
        self._for_a_while(name, {"engine": {"config": ERROR}}, {"engine": {"config": dict.fromkeys(ERROR)}})

    def acts(self) -> tuple[Any, ...]:
        """Return all of it."""
        return (self.stop, self.pause, self.look_first, self.resize_disk, self.err)

    def _for_a_while(self, name: str, change: Json, back: Json) -> None:
        self._people.edit(name, change)
        self._people.soon(self._dice.between(*MEANWHILE_SECONDS), lambda: self._people.edit(name, back))

    def _look(self) -> None:
        """Do what waits say that a person should: approve, now and then too late, and have a growth tried again."""
        for stored in self._people.stored():
            name, plan = stored["metadata"]["name"], stored.get("status", {}).get("plan", {})
            if any(f"restart {name}" in wait.get("fix", "") for wait in plan.get("waiting", [])):
                self._people.restart(name)
            approved = stored["spec"].get("reconcile", {}).get("approvedPlan")
            waits = [
                wait for wait in plan.get("waiting", []) if wait["reason"] in ("ApprovalRequired", "ApprovalStale")
            ]
            if not waits or approved == plan.get("hash"):
                continue
            late = self._dice.happens(0.2)
            known = self._hashes.get(name, plan["hash"]) if late else plan["hash"]
            self._hashes[name] = plan["hash"]
            self._people.edit(name, {"reconcile": {"approvedPlan": known}})
        self._people.schedule.after(self._dice.between(*LOOK_SECONDS), self._look)


def put_right(spec: Json) -> Json:
    """Return a spec without what was only meant for a while."""
    engine = {**spec["engine"], "config": {k: v for k, v in spec["engine"].get("config", {}).items() if k not in ERROR}}
    reconcile = {k: v for k, v in spec.get("reconcile", {}).items() if k not in ("mode", "approvedPlan")}
    return {**{k: v for k, v in spec.items() if k != "state"}, "engine": engine, "reconcile": reconcile}
