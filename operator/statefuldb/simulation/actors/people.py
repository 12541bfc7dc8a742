"""What people do: databases of all strategies, edits up and down, restarts, deletion with and without the data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from statefuldb.model.identity import ANNOTATION_RESTARTED_AT
from statefuldb.simulation.actors.owners import Owners, put_right
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.clockwork.story import Story
from statefuldb.simulation.cluster.api import ApiServer

Json = dict[str, Any]
NAMESPACE = "default"
PATH = f"/apis/statefuldb.dev/v1alpha1/namespaces/{NAMESPACE}/statefuldatabases"
HOST_ROOT = "/var/lib/statefuldb"
MOUNT = "/mnt/statefuldb"
STRATEGIES = ("PersistentVolume", "HostPath", "DFS")


@dataclass(slots=True)
class Wanted:
    """What its owner wants of one database name. `spec` None means: deleted."""

    name: str
    spec: Json | None
    at: float


def database(name: str, strategy: str) -> Json:
    """Return a small `StatefulDatabase`."""
    storage: Json = {"strategy": strategy, "size": "1Gi"}
    if strategy == "HostPath":
        storage["hostPath"] = {"path": HOST_ROOT, "create": True}
    elif strategy == "DFS":
        storage["dfs"] = {"type": "GlusterFS", "mountPoint": MOUNT}
        storage["onNodeLoss"] = {"action": "Reattach", "afterSeconds": 60}
    return {
        "apiVersion": "statefuldb.dev/v1alpha1",
        "kind": "StatefulDatabase",
        "metadata": {"name": name},
        "spec": {
            "engine": {"type": "MariaDB", "version": "10.11"},
            "resources": {"cpus": "250m", "memory": "256Mi"},
            "storage": storage,
        },
    }


class People:
    """The owners of the databases, with `kubectl` in their hands."""

    def __init__(
        self,
        *,
        api: ApiServer,
        schedule: Schedule,
        dice: Dice,
        story: Story,
        on_delete: Callable[[Json], None],
        variety: Dice | None = None,
    ) -> None:
        self._api = api
        self.schedule = schedule
        self._dice = dice
        self._story = story
        self._on_delete = on_delete
        self.wanted: dict[str, Wanted] = {}
        # The uids of all that was ever deleted.
        self.deleted: set[str] = set()
        self.acts = 0
        self.to_come = 0
        self._at_rest = False
        self._owners = Owners(self, variety) if variety is not None else None
        self._acts: list[Callable[[str], None]] = [
            *(self._resize, self._resize, self._scale, self.restart, self._configure, self.recreate),
            *((self.restart, self.recreate, *self._owners.acts()) if self._owners is not None else ()),
        ]

    def begin(self, count: int, pause_seconds: float) -> None:
        """Apply `count` databases, and from then on do something now and then."""
        for index in range(count):
            strategy = STRATEGIES[index % len(STRATEGIES)]
            manifest = database(f"db{index}", strategy)
            if self._dice.happens(0.5):
                manifest["spec"]["retention"] = {"whenDeleted": self._dice.pick(("Delete", "Retain"))}
            if self._owners is not None:
                self._owners.vary(manifest)
            self.apply_in(self._dice.between(0.0, 5.0), manifest)
        if self._owners is not None:
            self._owners.begin()
        self._again(pause_seconds)

    def rest(self) -> None:
        """Begin nothing more; what was deleted to be applied again still is, see `to_come`."""
        self._at_rest = True

    def apply(self, manifest: Json) -> None:
        """Apply a manifest whole, as `kubectl apply` does; while the old object still goes, again later."""
        name = manifest["metadata"]["name"]
        old = self.find(name)
        if old is not None and "deletionTimestamp" in old["metadata"]:
            self.apply_in(2.0, manifest)
            return
        status, answer = self._api.exchange("PATCH", f"{PATH}/{name}", manifest, "application/apply-patch+yaml")
        self.wanted[name] = Wanted(name, manifest["spec"], self.schedule.now)
        self._story.tell("people", f"apply {name}: {_changes(old, manifest)}{_refusal(status, answer)}")

    def delete(self, name: str) -> None:
        """Take protection off and delete a database."""
        stored = self.find(name)
        if stored is None or "deletionTimestamp" in stored["metadata"]:
            return
        self.edit(name, {"deletionProtection": "Disabled"}, "protection off")
        stored = self.find(name)
        assert stored is not None
        self._on_delete(stored)
        self.deleted.add(stored["metadata"]["uid"])
        status, answer = self._api.exchange("DELETE", f"{PATH}/{name}")
        self.wanted[name] = Wanted(name, None, self.schedule.now)
        retention = stored["spec"].get("retention", {}).get("whenDeleted", "Retain")
        self._story.tell("people", f"delete {name} ({retention}){_refusal(status, answer)}")

    def apply_again(self) -> None:
        """Want all once more that is wanted, and delete what was deleted before, after the API was restored."""
        for wanted in list(self.wanted.values()):
            stored = self.find(wanted.name)
            if stored is not None and (wanted.spec is None or stored["metadata"]["uid"] in self.deleted):
                self.delete(wanted.name)
                stored = None
            if wanted.spec is not None:
                self._want(wanted.name, put_right(wanted.spec), stored)

    def _want(self, name: str, spec: Json, stored: Json | None) -> None:
        if stored is None:
            kind = {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StatefulDatabase"}
            self.apply({**kind, "metadata": {"name": name}, "spec": spec})
            return
        status, answer = self._api.exchange("PUT", f"{PATH}/{name}", {**stored, "spec": spec})
        self.wanted[name] = Wanted(name, spec, self.schedule.now)
        self._story.tell("people", f"replace {name} by what is wanted{_refusal(status, answer)}")

    def act(self) -> None:
        """Do one thing."""
        names = [w.name for w in self.wanted.values() if w.spec is not None and self.find(w.name) is not None]
        if not names:
            return
        self.acts += 1
        name = self._dice.pick(names)
        self._dice.pick(self._acts)(name)

    def apply_in(self, seconds: float, manifest: Json) -> None:
        """Apply a manifest after a while."""
        self.soon(seconds, lambda: self.apply(manifest))

    def soon(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after a while, at rest too."""
        self.to_come += 1

        def do() -> None:
            self.to_come -= 1
            act()

        self.schedule.after(seconds, do)

    def _resize(self, name: str) -> None:
        field, choices = self._dice.pick((("cpus", ("200m", "300m", "500m")), ("memory", ("256Mi", "384Mi", "512Mi"))))
        self.edit(name, {"resources": {field: self._dice.pick(choices)}})

    def _scale(self, name: str) -> None:
        stored = self.find(name)
        replicas = (stored or {}).get("spec", {}).get("replicas", 1)
        self.edit(name, {"replicas": 1 - replicas})

    def _configure(self, name: str) -> None:
        self.edit(name, {"engine": {"config": {"max_connections": str(100 + self._dice.below(3))}}})

    def restart(self, name: str) -> None:
        """Ask for a restart, as `statefuldb restart` does."""
        patch = {"metadata": {"annotations": {ANNOTATION_RESTARTED_AT: self.schedule.instant()}}}
        self._patch(name, patch)
        self.wanted[name].at = self.schedule.now
        self._story.tell("people", f"restart {name}")

    def recreate(self, name: str, *, with_data: bool = False) -> None:
        """Delete a database, with its data where that is said, and apply the same manifest after a while."""
        stored = self.find(name)
        if stored is None:
            return
        manifest = {key: stored[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": name}}
        manifest["spec"] = {**put_right(manifest["spec"]), "deletionProtection": "Enabled"}
        if with_data:
            self.edit(name, {"retention": {"whenDeleted": "Delete"}}, "its data is to go with it")
        self.delete(name)
        self.apply_in(self._dice.between(0.5, 60.0), manifest)

    def edit(self, name: str, spec: Json, why: str = "") -> None:
        """Merge a change into a spec."""
        status, answer = self._patch(name, {"spec": spec})
        stored = self.find(name)
        if stored is not None and "deletionTimestamp" not in stored["metadata"]:
            self.wanted[name] = Wanted(name, stored["spec"], self.schedule.now)
        self._story.tell("people", f"edit {name}: {why or spec}{_refusal(status, answer)}")

    def stored(self) -> list[Json]:
        """Return the databases that are not being deleted."""
        return [each for each in self._api.objects("statefuldatabases") if "deletionTimestamp" not in each["metadata"]]

    def _patch(self, name: str, patch: Json) -> tuple[int, Any]:
        return self._api.exchange("PATCH", f"{PATH}/{name}", patch, "application/merge-patch+json")

    def find(self, name: str) -> Json | None:
        """Return a database as it is, or None."""
        return self._api.find("statefuldatabases", NAMESPACE, name)

    def _again(self, pause_seconds: float) -> None:
        def act() -> None:
            if not self._at_rest:
                self.act()
                self._again(pause_seconds)

        self.schedule.after(self._dice.between(0.2, 2.0) * pause_seconds, act)


def _changes(old: Json | None, manifest: Json) -> str:
    return manifest["spec"]["storage"]["strategy"] if old is None else "changed"


def _refusal(status: int, answer: Any) -> str:
    return "" if status < 300 else f": refused with {status}: {answer.get('message', '')}"
