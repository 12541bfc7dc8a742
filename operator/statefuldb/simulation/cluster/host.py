"""One machine of the cluster: its disks, its mount, and the keepers that run on it as tasks of its agent."""

from collections.abc import Callable
from typing import Any

from statefuldb.model.keeper import ENVIRONMENT_VARIABLE, LEDGER_VARIABLE, KeeperConfig
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.cluster.keeper import Keeper
from statefuldb.simulation.cluster.storage import FileSystem, Watching

Json = dict[str, Any]
OnEnd = Callable[[str, int], None]
# So long do the servers of a shared file system keep the locks of a client of which they hear nothing.
LEASE_SECONDS = 60.0


class Host:
    """A machine. `shared` is the file system that it mounts, None where it has no such mount.

    Where it `hangs`, a server there hangs while the machine is cut off from it, by the network or by fencing, and goes
    on once it is not any more.
    """

    def __init__(
        self,
        *,
        number: int,
        schedule: Schedule,
        dice: Dice,
        watching: Watching,
        shared: FileSystem | None,
        hangs: bool = False,
    ) -> None:
        self.hostname = f"agent-{number}"
        self.address = f"10.0.1.{number}"
        self.shared = shared
        self.disk = FileSystem(watching, schedule)
        self.volumes = FileSystem(watching, schedule)
        self.full = False
        self.keepers: dict[str, Keeper] = {}
        self.ended_at: dict[str, float] = {}
        self.fenced = False
        self.fenced_at = 0.0
        self.hangs = hangs
        self.network = True
        self.watching = watching
        self.schedule = schedule
        self.dice = dice

    def run(self, info: Json, on_end: OnEnd) -> None:
        """Start a task's keeper; `on_end` is told task id and exit status."""
        task_id = info["task_id"]["value"]
        variables = {v["name"]: v["value"] for v in info["command"]["environment"]["variables"]}
        volume = next(
            (r["disk"]["persistence"]["id"] for r in info["resources"] if "persistence" in r.get("disk", {})), ""
        )

        def ended(status: int) -> None:
            if self.keepers.get(task_id) is keeper:
                del self.keepers[task_id]
            self.ended_at[task_id] = self.schedule.now
            on_end(task_id, status)

        keeper = Keeper(
            KeeperConfig.from_json(variables[ENVIRONMENT_VARIABLE]),
            self,
            volume,
            ended,
            ledger=variables.get(LEDGER_VARIABLE, ""),
        )
        self.keepers[task_id] = keeper
        keeper.start()

    def stop(self, task_id: str, grace_seconds: float) -> None:
        """Send a task SIGTERM, SIGKILL after the grace."""
        keeper = self.keepers.get(task_id)
        if keeper is not None:
            keeper.terminate(grace_seconds)

    def fill(self, seconds: float) -> bool:
        """Let something else fill the disks for a while; say whether they had room."""
        if self.full:
            return False

        def change(full: bool) -> None:
            self.full = full
            for keeper in list(self.keepers.values()):
                keeper.look_at_disk()

        change(True)
        self.schedule.after(seconds, lambda: change(False))
        return True

    def lose_power(self) -> None:
        """End every process at once; nobody is told."""
        for task_id, keeper in list(self.keepers.items()):
            keeper.vanish()
            self.ended_at[task_id] = self.schedule.now
        self.keepers.clear()

    def fence(self) -> None:
        """Be cut off from the shared file system by its servers: what has data there open cannot write any more."""
        self.fenced, self.fenced_at = True, self.schedule.now
        if self.hangs:
            self._lose_data()
            return
        for keeper in self.on_shared():
            keeper.crash()

    def readmit(self) -> None:
        """Be let in again, as a person does once the machine is back."""
        self.fenced = False
        for keeper in self.on_shared():
            keeper.find_data()

    def cut_off(self) -> None:
        """Lose the network."""
        self.network = False
        for keeper in self.keepers.values():
            keeper.be_missed()
        if self.hangs:
            self.schedule.after(LEASE_SECONDS, lambda: None if self.network else self._lose_data())

    def reconnect(self) -> None:
        """Have the network again."""
        self.network = True
        for keeper in self.on_shared() if self.hangs and not self.fenced else ():
            keeper.find_data()

    def on_shared(self) -> list[Keeper]:
        """Return the keepers with data on the shared file system."""
        return [keeper for keeper in self.keepers.values() if keeper.config.data.mount_point is not None]

    def _lose_data(self) -> None:
        for keeper in self.on_shared():
            if keeper.answers:
                keeper.lose_data()
            else:
                keeper.crash()

    def keeper_at(self, port: int) -> Keeper | None:
        """Return the keeper whose endpoint listens on a port."""
        found = [k for k in self.keepers.values() if k.config.keeper_port == port and k.listens]
        return found[0] if found else None

    def server_at(self, port: int) -> Keeper | None:
        """Return the keeper whose database server answers on a port."""
        found = [k for k in self.keepers.values() if k.config.port == port and k.answers]
        return found[0] if found else None
