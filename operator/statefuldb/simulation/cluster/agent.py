"""A Mesos agent, simulated: what `local/mesos/agent/agent.py` keeps on its disk, and what it says and obeys."""

import base64
from typing import Any

from statefuldb.local.mesos.resources.multiset import Bag
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Link, Schedule
from statefuldb.simulation.cluster.host import Host
from statefuldb.simulation.cluster.mesos import Mesos
from statefuldb.simulation.cluster.operation_reports import OperationReports
from statefuldb.simulation.cluster.task_statuses import TaskStatuses

Json = dict[str, Any]
RECONNECT_SECONDS = 0.5
DEFAULT_GRACE_SECONDS = 3.0
RETURN_SECONDS = 30.0
TERMINAL = ("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_DROPPED")


class Agent:
    """One agent on one host. It can die without its tasks, and lose its network without either."""

    def __init__(
        self,
        *,
        host: Host,
        mesos: Mesos,
        schedule: Schedule,
        dice: Dice,
        resources: list[Json],
        attributes: Json,
        domain: Json | None = None,
    ) -> None:
        self.host = host
        self._mesos = mesos
        self._schedule = schedule
        self._dice = dice
        self._flags = resources
        self._info = {
            "hostname": host.hostname,
            "ip": host.address,
            "port": 5051,
            "resources": resources,
            "attributes": [
                {"name": name, "type": "TEXT", "text": {"value": value}} for name, value in attributes.items()
            ],
            **({"domain": domain} if domain is not None else {}),
        }
        self.id: str | None = None
        self.total = resources
        self._frameworks: dict[str, Json] = {}
        self._orders: dict[str, Json] = {}
        self._killed: list[str] = []
        self._drained: list[str] = []
        self._exits: dict[str, int] = {}
        self._statuses = TaskStatuses(schedule, self._send, self._uuid)
        self._reports = OperationReports(schedule, self._say, self._uuid)
        self.up = False
        self._connected = False
        self._out = Link(schedule, dice.fork())

    @property
    def reachable(self) -> bool:
        """Whether it runs and its network does."""
        return self.up and self.host.network

    def boot(self) -> None:
        """Start the agent's process, which takes up the tasks that it left."""
        self.up = True
        for task_id in [
            t for t in self._orders if t not in self.host.keepers and self._statuses.state(t) not in TERMINAL
        ]:
            if task_id in self._exits:
                self._ended(task_id, self._exits[task_id])
            else:
                self._enqueue(task_id, "TASK_FAILED", "Executor terminated")
        for task_id in [t for t in self.host.keepers if t not in self._orders]:
            # A container that the agent does not know is destroyed, as Mesos does on recovery.
            self.host.stop(task_id, DEFAULT_GRACE_SECONDS)
        self._connect()

    def die(self) -> None:
        """Kill the agent's process; its tasks run on."""
        self.up = False
        self._leave()

    def lose_power(self) -> None:
        """Stop the whole machine."""
        self.die()
        self.host.lose_power()

    def lose_power_and_id(self) -> None:
        """Stop the whole machine, and lose the agent's record of itself."""
        self.lose_power()
        self.forget_itself()

    def forget_itself(self) -> None:
        """Lose the agent's own record: it comes back under another id. Its resources are checkpointed elsewhere."""
        self.id = None
        self._orders.clear()
        self._statuses.clear()
        self._reports.held.clear()

    def cut_off(self, seconds: float) -> bool:
        """Lose the network for a while, if it is there: neither side hears of the other, and nobody is told so."""
        if not self.reachable:
            return False
        self.host.cut_off()
        self._out.cut()
        if self.id is not None:
            self._mesos.mute(self.id)

        def heal() -> None:
            self.host.reconnect()
            self._leave()
            self._connect()

        self._schedule.after(seconds, heal)
        return True

    def closed(self) -> None:
        """Take in that the master is gone, or has closed the stream."""
        self._connected = False
        self._schedule.after(RECONNECT_SECONDS, self._connect)

    def _leave(self) -> None:
        self._connected = False
        self._out.cut()
        if self.id is not None:
            self._mesos.agent_away(self.id)

    def _connect(self) -> None:
        if not self.reachable or self._connected:
            return
        if not self._mesos.up:
            self._schedule.after(RECONNECT_SECONDS, self._connect)
            return
        self._connected = True
        self._out = Link(self._schedule, self._dice.fork())
        tasks = [
            {**order, "status": self._statuses.heard_last(task_id)}
            for task_id, order in self._orders.items()
            if order["task"]
        ]
        message = {
            "id": self.id,
            "info": self._info,
            "total": self.total,
            "frameworks": list(self._frameworks.values()),
            "tasks": tasks,
            "operations": [{**report, "uuid": report["uuid_of"]} for report in self._reports.held.values()],
        }
        self._mesos.register(message, self)

    def obey(self, message: Json) -> None:
        """Take an order."""
        if not self.reachable:
            return
        match message["type"]:
            case "REGISTERED":
                self.id = message["agent_id"]
                self._resend_all()
            case "APPLY":
                self._apply(message)
            case "RUN_TASK":
                self._run(message)
            case "KILL":
                self._kill(message)
            case "DRAIN":
                self._drain(message["config"].get("max_grace_period"))
            case "SHUTDOWN":
                self._forget(message["task_id"])
                self.host.stop(message["task_id"], DEFAULT_GRACE_SECONDS)
            case "ACK":
                self._acknowledged(message)
            case "RESEND":
                self._resend_all()
            case _:
                self._answer(message)

    def _answer(self, message: Json) -> None:
        """Take what the master misses in our report, thanks for an operation, and the word that we are gone."""
        match message["type"]:
            case "ACK_OPERATION":
                self._reports.held.pop(message["uuid"], None)
            case "UNKNOWN_OPERATION":
                self._reports.make(message, "OPERATION_DROPPED", str(self.id))
            case "UNKNOWN_TASK" if message["task_id"] not in self._statuses:
                task_id = message["task_id"]
                self._orders[task_id] = {"framework_id": message["framework"]["id"]["value"], "task": {}}
                self._statuses.begin(task_id)
                self._enqueue(task_id, "TASK_DROPPED", "Reconciliation: task unknown to the agent")
            case "GONE":
                # It ends its tasks and itself; its administrator starts it again, as a new agent.
                for task_id in self._orders:
                    self.host.stop(task_id, DEFAULT_GRACE_SECONDS)
                self.die()
                self.forget_itself()
                self._schedule.after(RETURN_SECONDS, self.boot)
            case _:
                pass

    def _apply(self, message: Json) -> None:
        """Carry out one operation and report."""
        operation = message["operation"]
        kind = operation["type"]
        for volume in operation.get("create", {}).get("volumes", []):
            self.host.volumes.open(volume["disk"]["persistence"]["id"], self.host.hostname)
        self.total = message["total"]
        for volume in operation.get("destroy", {}).get("volumes", []):
            self.host.volumes.remove(volume["disk"]["persistence"]["id"], f"{kind} on {self.host.hostname}")
        self._reports.make(message, "OPERATION_FINISHED", str(self.id))

    def _run(self, message: Json) -> None:
        info, framework = message["task"], message["framework"]
        framework_id, task_id = framework["id"]["value"], info["task_id"]["value"]
        self._frameworks[framework_id] = framework
        self._orders[task_id] = {"framework_id": framework_id, "task": info}
        self._statuses.begin(task_id)
        if "keeper" in info["command"].get("value", "") or info["command"].get("environment"):
            self.host.run(info, self._ended)
        self._enqueue(task_id, "TASK_STARTING", "")
        self._enqueue(task_id, "TASK_RUNNING", "")

    def _kill(self, message: Json) -> None:
        task_id = message["task_id"]
        if task_id not in self._orders or self._statuses.state(task_id) in TERMINAL:
            return
        policy = message.get("kill_policy") or self._orders[task_id]["task"].get("kill_policy") or {}
        nanoseconds = policy.get("grace_period", {}).get("nanoseconds", DEFAULT_GRACE_SECONDS * 1e9)
        self._killed.append(task_id)
        self._enqueue(task_id, "TASK_KILLING", "")
        self.host.stop(task_id, nanoseconds / 1e9)

    def _drain(self, longest: Json | None) -> None:
        """End all tasks, each within its own grace or the one that is given for all."""
        for task_id in [task_id for task_id, order in self._orders.items() if order["task"]]:
            self._drained.append(task_id)
            self._kill({"task_id": task_id, "kill_policy": {"grace_period": longest} if longest else None})

    def _ended(self, task_id: str, status: int) -> None:
        """Note a task's end; while the agent is down its executor writes it down, and it is found at the next start."""
        if task_id not in self._orders:
            return
        if not self.up:
            self._exits[task_id] = status
            return
        ended = "TASK_FINISHED" if status == 0 else "TASK_FAILED"
        how = f"Command terminated with signal {-status}" if status < 0 else f"Command exited with status {status}"
        self._enqueue(task_id, "TASK_KILLED" if task_id in self._killed else ended, how)

    def _enqueue(self, task_id: str, state: str, message: str) -> None:
        more = {"message": message} if message else {}
        if task_id in self._drained and state in ("TASK_KILLING", "TASK_KILLED"):
            more["reason"] = "REASON_AGENT_DRAINING"
        self._statuses.add(task_id, state, self.id, **more)

    def _resend_all(self) -> None:
        for report in self._reports.held.values():
            self._say(report)
        self._statuses.resend()

    def _send(self, task_id: str, status: Json) -> None:
        self._say({"type": "UPDATE", "framework_id": self._orders[task_id]["framework_id"], "status": status})

    def _say(self, message: Json) -> None:
        if self.reachable:
            whole = {**message, "agent_id": self.id}
            self._out.send(lambda: self._mesos.agent_says(whole))

    def _acknowledged(self, message: Json) -> None:
        if self._statuses.acknowledged(message["task_id"], message["uuid"]) in TERMINAL:
            self._forget(message["task_id"])

    def _forget(self, task_id: str) -> None:
        self._orders.pop(task_id, None)
        self._exits.pop(task_id, None)
        self._statuses.forget(task_id)

    def bag(self) -> Bag:
        """Return what the agent has, reservations and volumes included."""
        return Bag.of(self.total)

    def _uuid(self) -> str:
        return base64.b64encode(bytes.fromhex(self._dice.uuid().replace("-", ""))).decode()
