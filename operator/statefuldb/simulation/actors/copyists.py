"""People who copy entries of the ledger into another namespace, give up what they find there, and clear it away."""

from typing import TYPE_CHECKING, Any

from statefuldb.model.identity import ANNOTATION_RELEASE
from statefuldb.simulation.actors.people import NAMESPACE
from statefuldb.simulation.clockwork.dice import Dice

if TYPE_CHECKING:
    from statefuldb.simulation.world import World

Json = dict[str, Any]
ELSEWHERE = "elsewhere"
VOLUMES = f"/apis/statefuldb.dev/v1alpha1/namespaces/{ELSEWHERE}/databasevolumes"
# How long a copy is there, and how long it takes until somebody gives it up.
STAYS_SECONDS = (5.0, 120.0)
LOOKED_AT_SECONDS = (0.0, 40.0)


class Copyists:
    """Those who restore the ledger where it does not belong. What they give up there is nobody's word on the data."""

    def __init__(self, world: "World", dice: Dice) -> None:
        self._world = world
        self._dice = dice
        self._at_rest = False

    def begin(self, pause_seconds: float) -> None:
        """Copy an entry now and then from now on."""
        self._world.api.exchange("POST", "/api/v1/namespaces", {"metadata": {"name": ELSEWHERE}})

        def act() -> None:
            if not self._at_rest:
                self._copy()
                self._world.schedule.after(self._dice.between(0.2, 2.0) * pause_seconds, act)

        self._world.schedule.after(self._dice.between(0.2, 2.0) * pause_seconds, act)

    def rest(self) -> None:
        """Begin nothing more; what was copied is still cleared away."""
        self._at_rest = True

    def clear_away_again(self) -> None:
        """Delete in a while what copies there are, after the API was restored with them."""
        for entry in self._world.api.objects("databasevolumes"):
            if entry["metadata"]["namespace"] == ELSEWHERE:
                self._clear_away_later(entry["metadata"]["name"])

    def _copy(self) -> None:
        entries = self._world.api.objects("databasevolumes")
        mine = [entry for entry in entries if entry["metadata"]["namespace"] == NAMESPACE]
        if not mine:
            return
        entry = self._dice.pick(mine)
        name = entry["metadata"]["name"]
        metadata = {"name": name, "namespace": ELSEWHERE, "labels": entry["metadata"].get("labels", {})}
        status, _ = self._world.api.exchange("POST", VOLUMES, {**entry, "metadata": metadata})
        if status >= 300:
            return
        self._world.story.tell("people", f"copy entry {name} to namespace {ELSEWHERE}")
        people = self._world.people
        if self._dice.happens(0.5):
            people.soon(self._dice.between(*LOOKED_AT_SECONDS), lambda: self._give_up(name))
        self._clear_away_later(name)

    def _give_up(self, name: str) -> None:
        patch = {"metadata": {"annotations": {ANNOTATION_RELEASE: name}}, "spec": {"intent": "Delete"}}
        self._world.api.exchange("PATCH", f"{VOLUMES}/{name}", patch, "application/merge-patch+json")
        self._world.story.tell("people", f"give up the copy {ELSEWHERE}/{name}")

    def _clear_away_later(self, name: str) -> None:
        self._world.people.soon(self._dice.between(*STAYS_SECONDS), lambda: self._clear_away(name))

    def _clear_away(self, name: str) -> None:
        self._world.api.exchange("DELETE", f"{VOLUMES}/{name}")
        self._world.story.tell("people", f"delete the copy {ELSEWHERE}/{name}")
