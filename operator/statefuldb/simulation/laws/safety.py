"""The safety laws of docs/design.md section 3, judged at each moment at which one could be broken."""

import json
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from statefuldb.local.api_server.objects.store import Change
from statefuldb.model.conditions import Reason
from statefuldb.model.identity import TaskId
from statefuldb.model.quantity import parse_quantity
from statefuldb.model.resources import MILLI
from statefuldb.model.volume import Intent, Launch, VolumeRecord
from statefuldb.reconcile.retry import LIMIT_SECONDS
from statefuldb.reconcile.warm_up import WARM_UP_SECONDS
from statefuldb.simulation.actors.administrators import Administrators
from statefuldb.simulation.actors.clients import Clients
from statefuldb.simulation.actors.people import People
from statefuldb.simulation.clockwork.machine import PASSWORD
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.cluster.api import RESTORED, ApiServer
from statefuldb.simulation.cluster.host import Host
from statefuldb.simulation.cluster.mesos import Mesos
from statefuldb.simulation.cluster.silence import MISSED_SECONDS
from statefuldb.simulation.cluster.storage import Directory
from statefuldb.simulation.laws.on_the_wire import is_ours, said_anew
from statefuldb.simulation.laws.verdict import Verdict
from statefuldb.simulation.laws.written import Written

Json = dict[str, Any]
READY_LAG_SECONDS = 15.0
# An operator that has just begun waits for as long for what it has not heard yet, and then has to write.
BEGUN_LAG_SECONDS = WARM_UP_SECONDS + 10.0
# One that was turned away by the API for long tries so rarely again.
TURNED_AWAY_LAG_SECONDS = LIMIT_SECONDS + 10.0
RECORDED_SECONDS = 30.0
# For how long an act of a person may not have been heard of, and what is decided be decided without it: watches break
# for up to 20 s.
HEARD_SECONDS = 25.0


class Laws:
    """Watches data, requests and objects. Those whom it watches are made after it, and set then."""

    api: ApiServer
    mesos: Mesos
    people: People
    clients: Clients
    administrators: Administrators
    skew: Callable[[], float]
    led_since: Callable[[], float]

    def __init__(self, verdict: Verdict, schedule: Schedule, hosts: list[Host]) -> None:
        self._verdict = verdict
        self._schedule = schedule
        self._hosts = hosts
        self._by_name: dict[str, Host] = {}
        self.seen: dict[str, int] = {}
        self._secrets: list[str] = []
        self._may_go: set[str] = set()
        self._task_ids: set[str] = set()
        self._decided_at: dict[str, float] = {}
        self._offers_used: set[str] = set()
        self._ledger = Written()

    def ledger(self) -> Collection[VolumeRecord]:
        """Return the ledger's entries."""
        return self._ledger.all()

    def secret(self, password: str) -> None:
        """Note a password that must be seen nowhere but in Secrets."""
        self._secrets.append(password)

    def deletion(self, stored: Json) -> None:
        """Note that a person deletes a database: with its data, where the object says so."""
        spec = stored["spec"]
        if spec.get("retention", {}).get("whenDeleted") == "Delete" and spec.get("deletionProtection") == "Disabled":
            uid = stored["metadata"]["uid"]
            self._may_go.add(uid)
            for volume in self._ledger.of(uid):
                if volume.intent is Intent.USE:
                    self._may_go.add(volume.identity.uid)

    def given_up(self, uid: str) -> None:
        """Note that a person gives retained data up."""
        self._may_go.add(uid)

    def may_go(self, uid: str) -> bool:
        """Say whether a person has given data up, with its database or by its name."""
        return uid in self._may_go

    def opened(self, directory: Directory) -> None:
        """Judge `one_writer`."""
        who = ", ".join(writer.name for writer in directory.writers)
        self._verdict.judge("one_writer", len(directory.writers) < 2, f"{directory.place} is open for writing by {who}")
        self._all_there(directory)

    def initialised(self, directory: Directory, identity: Json) -> None:
        """Judge `no_empty_resurrection`."""
        held = [
            other
            for other, rows in self.clients.acknowledged.items()
            if rows
            and other.identity is not None
            and other.identity == identity
            and str(identity["uid"]) not in self._may_go
        ]
        message = f"{directory.place} is initialised for {identity['uid']}, whose data is in "
        self._verdict.judge("no_empty_resurrection", not held, message + ", ".join(d.place for d in held))

    def removed(self, directory: Directory, by: str) -> None:
        """Judge `data_outlives_everything` where data is removed."""
        if directory.identity is None:
            return
        uid = str(directory.identity["uid"])
        self._verdict.judge(
            "data_outlives_everything", uid in self._may_go, f"{directory.place} of {uid} was removed by {by}, unasked"
        )
        writers = [writer.name for writer in directory.writers]
        self._verdict.judge("one_writer", not writers, f"{directory.place} was removed by {by} under {writers}")
        self.clients.acknowledged.pop(directory, None)

    def every_row(self) -> None:
        """Judge `data_outlives_everything` for all data there is."""
        for directory in self.clients.acknowledged:
            self._all_there(directory)

    def _all_there(self, directory: Directory) -> None:
        acknowledged = self.clients.acknowledged.get(directory, [])
        if acknowledged:
            held = set(directory.rows)
            lost = [row for row in acknowledged if row not in held]
            self._verdict.judge("data_outlives_everything", not lost, f"{directory.place} lost the rows {lost[:5]}")

    def called(self, call: Json) -> None:
        """Judge a framework's call."""
        kind = call["type"]
        self._silent(kind, json.dumps(call))
        if kind == "TEARDOWN":
            self._verdict.judge("no_surprise_teardown", False, "TEARDOWN was sent")
        elif kind == "KILL":
            self._killed(call["kill"]["task_id"]["value"])
        elif kind == "ACCEPT":
            self._accepted(call["accept"])
        elif kind == "ACKNOWLEDGE":
            self._acknowledged(call["acknowledge"])

    def changed(self, change: Change) -> None:
        """Judge a change of an object."""
        key = change.address[0]
        if key == "secrets":
            return
        self._silent("/".join(change.address), "\n".join(said_anew(change.object, change.previous)))
        if key.startswith("databasevolumes"):
            self._note_launch(self._ledger.note(change))
        if key.startswith("statefuldatabases") and change.type not in ("DELETED", RESTORED):
            self._note_reasons(change.object.get("status", {}))
            self._ready(change.object)

    def _note_reasons(self, status: Json) -> None:
        """Count the reasons that the operator was seen to give."""
        given = [*status.get("conditions", ()), *status.get("plan", {}).get("waiting", ())]
        for reason in sorted({each["reason"] for each in given}):
            self._count(f"reason {reason}")
            self._verdict.judge(
                "no_defect", reason != Reason.PLAN_VIOLATES_LAW, f"a plan was refused: {status['plan']}"
            )

    def carried_out(self, kind: str) -> None:
        """Count an action of the operator."""
        self._count(f"action {kind}")

    def _count(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1

    def _note_launch(self, volume: VolumeRecord) -> None:
        """Note by the world's clock when a launch was decided on: that of the operator's machine may be wrong."""
        if volume.launch is not None and str(volume.task_id) not in self._decided_at:
            ago = self._schedule.now + self.skew() - volume.launch.at_seconds
            self._decided_at[str(volume.task_id)] = self._schedule.now - min(max(ago, 0.0), RECORDED_SECONDS)

    def _silent(self, where: str, text: str) -> None:
        if self._secrets:
            shown = PASSWORD in text and any(password in text for password in self._secrets)
            self._verdict.judge("secrets_stay_secret", not shown, f"a password is in {where}")

    def _ready(self, stored: Json) -> None:
        status = stored.get("status", {})
        ready = next((c for c in status.get("conditions", []) if c["type"] == "Ready"), None)
        if (
            ready is None
            or ready["status"] != "True"
            or ready["observedGeneration"] != stored["metadata"]["generation"]
        ):
            return
        for member in [m for m in status.get("members", []) if m.get("ready")]:
            task_id = member.get("taskId", "")
            host = self._host(member.get("agent", ""))
            keeper = host.keepers.get(task_id) if host is not None else None
            missed = keeper is not None and keeper.silence.seconds > MISSED_SECONDS + READY_LAG_SECONDS
            runs = keeper is not None and keeper.answers and not missed
            ended = host.ended_at.get(task_id, 0.0) if host is not None else 0.0
            # An operator that is killed again and again has had no time to see it.
            begun = self._schedule.now - self.led_since() < BEGUN_LAG_SECONDS
            turned_away = self._schedule.now - self.api.lets_in_since < TURNED_AWAY_LAG_SECONDS
            recent = begun or turned_away or self._schedule.now - ended < READY_LAG_SECONDS
            name = stored["metadata"]["name"]
            self._verdict.judge(
                "ready_is_true", runs or recent, f"{name} is called Ready, but {task_id} does not answer"
            )

    def _host(self, hostname: str) -> Host | None:
        if len(self._by_name) != len(self._hosts):
            self._by_name = {host.hostname: host for host in self._hosts}
        return self._by_name.get(hostname)

    def _killed(self, task_id: str) -> None:
        """A KILL is asked for by a person's act on that database, or the task is not recorded as one that runs.

        An act from before the launch asks for it as long as the launch falls short of it: there was no room.
        """
        parsed = TaskId.parse(task_id)
        for volume in self._ledger.of(parsed):
            if volume.launch is None or volume.ended or volume.intent is not Intent.USE:
                continue
            wanted = self.people.wanted.get(volume.key.name)
            decided_at = self._decided_at.get(task_id, 0.0)
            asked = (
                wanted is None
                or wanted.at >= decided_at - HEARD_SECONDS
                or volume.launch.erase
                or self.administrators.announced(volume.launch.agent.hostname)
                or _falls_short(volume, volume.launch, wanted.spec)
            )
            self._verdict.judge("no_surprise_teardown", asked, f"KILL of {task_id}, which nobody asked to end")

    def _accepted(self, accept: Json) -> None:
        for offer in accept["offer_ids"]:
            used = offer["value"] in self._offers_used
            self._verdict.judge("sane_requests", not used, f"offer {offer['value']} was accepted twice")
            self._offers_used.add(offer["value"])
        for operation in accept.get("operations", []):
            kind = operation["type"].lower()
            for resource in [
                *operation.get(kind, {}).get("resources", []),
                *operation.get(kind, {}).get("volumes", []),
            ]:
                self._verdict.judge("ours_only", is_ours(resource), f"{kind} of {resource['name']} without our label")
                amount = resource.get("scalar", {}).get("value", 1)
                self._verdict.judge("sane_requests", amount > 0, f"{kind} of nothing")
            for task in operation.get("launch", {}).get("task_infos", []):
                self._launched(task)

    def _launched(self, task: Json) -> None:
        task_id = task["task_id"]["value"]
        self._verdict.judge("sane_requests", task_id not in self._task_ids, f"task id {task_id} was used twice")
        self._task_ids.add(task_id)
        recorded = bool(self._ledger.of(TaskId.parse(task_id)))
        self._verdict.judge("sane_requests", recorded, f"{task_id} was launched before the ledger had it")
        if any("persistence" in r.get("disk", {}) for r in task["resources"]):
            names = {r["name"] for r in task["resources"] if is_ours(r)}
            whole = names >= {"cpus", "mem", "disk", "ports"} and all(is_ours(r) for r in task["resources"])
            self._verdict.judge("bundle", whole, f"{task_id} was launched on less than its bundle: {sorted(names)}")

    def _acknowledged(self, acknowledge: Json) -> None:
        """The end of a recorded launch is acknowledged only once the ledger has it."""
        known = self.mesos.terminal_status(acknowledge["task_id"]["value"])
        parsed = TaskId.parse(acknowledge["task_id"]["value"])
        if known is None or known.get("uuid") != acknowledge["uuid"]:
            return
        for volume in self._ledger.of(parsed):
            self._verdict.judge("sane_requests", volume.ended, f"the end of {parsed} was acknowledged unrecorded")


def _falls_short(volume: VolumeRecord, launch: Launch, spec: Json | None) -> bool:
    """Whether a task was launched with other cpus and memory, or on less disk, than its database asks for."""
    wanted = {name: parse_quantity(amount) for name, amount in (spec or {}).get("resources", {}).items()}
    larger = spec is not None and parse_quantity(spec["storage"]["size"]) > volume.size_bytes
    return larger or wanted != {"cpus": Decimal(launch.cpus_milli) / MILLI, "memory": Decimal(launch.memory_bytes)}
