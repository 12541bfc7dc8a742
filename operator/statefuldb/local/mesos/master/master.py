"""The master's state machine: scheduler calls and agents' messages in, events and orders out. Pure: time comes in.

Codes, texts and rules follow the recorded exchanges of a real Mesos 1.11.0.
"""

from typing import Any

from statefuldb.local.mesos.master import draining, feedback, groups, maintenance, quota, requests
from statefuldb.local.mesos.master.accepting import accept
from statefuldb.local.mesos.master.agents import Agents
from statefuldb.local.mesos.master.allocation import allocate, refuse, rescind
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import CloseStream
from statefuldb.local.mesos.master.reconciling import reconcile
from statefuldb.local.mesos.master.records import Framework

Json = dict[str, Any]
HEARTBEAT_SECONDS = 15.0
COMPLETED_LIMIT = 50


# What a master waits at least, and by default, for its agents to return after its own restart.
REREGISTER_SECONDS = 600.0


class Refused(Exception):
    """A call answered with an HTTP error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Master:
    """One master. `tick` must be called when `next_deadline` says so."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        address: str,
        port: int,
        unreachable_seconds: float,
        reregister_seconds: float = REREGISTER_SECONDS,
    ) -> None:
        self.cluster = cluster
        self.agents = Agents(cluster, unreachable_seconds, reregister_seconds)
        self._address = address
        self._port = port

    def info(self) -> Json:
        """Return MasterInfo."""
        parts = [int(part) for part in self._address.split(".")]
        info: Json = {
            "id": self.cluster.master_id,
            "ip": sum(part << (8 * index) for index, part in enumerate(parts)),
            "port": self._port,
            "pid": f"master@{self._address}:{self._port}",
            "hostname": self._address,
            "version": "1.11.0",
            "address": {"hostname": self._address, "ip": self._address, "port": self._port},
            "capabilities": [{"type": "AGENT_UPDATE"}, {"type": "AGENT_DRAINING"}, {}],
        }
        return info if self.cluster.domain is None else {**info, "domain": self.cluster.domain}

    def subscribe(self, call: Json, stream: str, now: float, principal: str | None = None) -> str:
        """Open a subscription; return the framework's id. Raises Refused(200) with the text of an ERROR event.

        `principal` is the authenticated one, here and below.
        """
        self.cluster.now = now
        info = dict(call["subscribe"]["framework_info"])
        if principal is not None:
            info.setdefault("principal", principal)
        framework_id = info.get("id", {}).get("value")
        reason = requests.framework_refused(info)
        if reason is None and framework_id in self.cluster.removed:
            reason = "Framework has been removed"
        framework = self.cluster.frameworks.get(framework_id or "")
        if reason is None and framework is not None and framework.info.get("principal") != info.get("principal"):
            reason = "Changing framework's principal is not allowed."
        denied = self.cluster.acls.denied_framework(info)
        if reason is None and denied is not None:
            reason = f"Not authorized to {denied}"
        if reason is not None:
            raise Refused(200, reason)
        if framework_id is None:
            framework_id = f"{self.cluster.master_id}-{self.cluster.next_framework():04d}"
            info["id"] = {"value": framework_id}
        if framework is None:
            framework = Framework(framework_id, info)
            self.cluster.frameworks[framework_id] = framework
        elif framework.stream is not None:
            error = {"type": "ERROR", "error": {"message": "Framework failed over"}}
            self.cluster.tell(framework_id, error)
            self.cluster.outbox.append(CloseStream(framework_id, framework.stream))
        rescind(self.cluster, framework_id=framework_id)
        maintenance.ask_no_more(self.cluster, framework_id)
        kept: Json = {k: framework.info[k] for k in ("user", "checkpoint") if k in framework.info}
        framework.info = {**info, **kept}
        framework.stream = stream
        framework.disconnected_at = None
        framework.filters = {}
        framework.suppressed = set(call["subscribe"].get("suppressed_roles", []))
        subscribed = {
            "framework_id": {"value": framework_id},
            "heartbeat_interval_seconds": HEARTBEAT_SECONDS,
            "master_info": self.info(),
        }
        self.cluster.tell(framework_id, {"type": "SUBSCRIBED", "subscribed": subscribed})
        self.cluster.tell(framework_id, {"type": "HEARTBEAT"})
        for agent_id in self.cluster.agents:
            self.cluster.order(agent_id, {"type": "RESEND", "framework_id": framework_id})
        return str(framework_id)

    def disconnect(self, framework_id: str, stream: str, now: float) -> None:
        """Note that a subscription's stream has closed."""
        framework = self.cluster.frameworks.get(framework_id)
        if framework is None or framework.stream != stream:
            return
        framework.stream = None
        framework.disconnected_at = now
        rescind(self.cluster, framework_id=framework_id)
        maintenance.ask_no_more(self.cluster, framework_id)
        self._expire_frameworks(now)

    def call(self, call: Json, stream: str | None, now: float, principal: str | None = None) -> int:
        """Carry out one scheduler call; return the HTTP status of the answer. Raises Refused."""
        self.cluster.now = now
        framework = self._caller(call, stream, principal)
        kind = call["type"]
        name = f"master/messages_{kind.lower()}"
        self.cluster.counts[name] = self.cluster.counts.get(name, 0) + 1
        body = call.get(kind.lower(), {})
        match kind:
            case "ACCEPT":
                accept(self.cluster, framework, body, now)
            case "DECLINE":
                self._decline(framework, body, now)
            case "REVIVE":
                self._revive(framework, body)
            case "SUPPRESS":
                framework.suppressed |= set(body.get("roles") or framework.roles)
            case "KILL":
                self._kill(framework, body)
            case "ACCEPT_INVERSE_OFFERS" | "DECLINE_INVERSE_OFFERS":
                maintenance.answer(self.cluster, framework, kind, body, now)
            case "UPDATE_FRAMEWORK":
                self._update(framework, body)
                return 200
            case "TEARDOWN":
                self.remove(framework)
            case _:
                self._settle(framework, kind, body)
        return 202

    def _settle(self, framework: Framework, kind: str, body: Json) -> None:
        """Take acknowledgements, and answer what a framework wants to know."""
        match kind:
            case "ACKNOWLEDGE":
                self._acknowledge(framework, body)
            case "ACKNOWLEDGE_OPERATION_STATUS":
                feedback.acknowledged(self.cluster, framework, body)
            case "RECONCILE":
                reconcile(self.cluster, framework, body.get("tasks", []))
            case "RECONCILE_OPERATIONS":
                feedback.reconcile(self.cluster, framework, body.get("operations", []))

    def tick(self, now: float) -> None:
        """Do what time calls for: expire frameworks and agents, offer what is free."""
        self.cluster.now = now
        self._expire_frameworks(now)
        self.agents.expire(now)
        draining.progress(self.cluster, self.agents)
        allocate(self.cluster, within=quota.within, unavailability=maintenance.unavailability)
        maintenance.ask_back(self.cluster, now)

    def heartbeat(self) -> None:
        """Send every subscribed framework its heartbeat."""
        for framework_id in self.cluster.frameworks:
            self.cluster.tell(framework_id, {"type": "HEARTBEAT"})

    def remove(self, framework: Framework) -> None:
        """End a framework: its tasks are killed, its id is dead; its reservations stay with the role."""
        cluster = self.cluster
        for (owner, task_id), task in list(cluster.tasks.items()):
            if owner == framework.id:
                order = {"type": "SHUTDOWN", "task_id": task_id, "framework_id": owner}
                cluster.order(task.agent_id, order)
                del cluster.tasks[owner, task_id]
        for operation in [one for one in cluster.operations.values() if one.framework_id == framework.id]:
            del cluster.operations[operation.uuid]
        groups.drop(cluster, framework_id=framework.id)
        for agent_id, _ in framework.withheld:
            # What it had given back by SHRINK is free for others now.
            cluster.operations.touch(agent_id)
        rescind(cluster, framework_id=framework.id)
        maintenance.ask_no_more(cluster, framework.id)
        if framework.stream is not None:
            cluster.outbox.append(CloseStream(framework.id, framework.stream))
        del cluster.frameworks[framework.id]
        cluster.removed = [*cluster.removed, framework.id][-COMPLETED_LIMIT:]

    def _caller(self, call: Json, stream: str | None, principal: str | None) -> Framework:
        reason = requests.unconvertible(call)
        if reason is not None:
            raise Refused(400, f"Failed to convert JSON into Call protobuf: {reason}")
        reason = requests.invalid(call)
        if reason is not None:
            raise Refused(400, f"Failed to validate scheduler::Call: {reason}")
        framework_id = call["framework_id"]["value"]
        framework = self.cluster.frameworks.get(framework_id)
        if framework is None:
            raise Refused(400, "Framework cannot be found")
        owner = framework.info.get("principal")
        if principal is not None and principal != owner:
            raise Refused(400, requests.other_principal(principal, owner))
        if framework.stream is None:
            raise Refused(403, "Framework is not subscribed")
        if stream is None:
            raise Refused(400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header")
        if framework.stream != stream:
            raise Refused(
                400,
                f"The stream ID '{stream}' included in this request didn't match the stream ID "
                f"currently associated with framework ID {framework_id}",
            )
        return framework

    def _expire_frameworks(self, now: float) -> None:
        for framework in list(self.cluster.frameworks.values()):
            gone = framework.disconnected_at
            if gone is not None and now >= gone + framework.failover_timeout:
                self.remove(framework)

    def _update(self, framework: Framework, body: Json) -> None:
        """Take over what a framework now says of itself; offers for roles that it has left are withdrawn."""
        info = body["framework_info"]
        reason = requests.framework_refused(info) or requests.update_refused(framework.info, info)
        if reason is not None:
            raise Refused(400, f"FrameworkInfo update is not valid: {reason}")
        framework.info = info
        framework.suppressed = set(body.get("suppressed_roles", []))
        rescind(self.cluster, framework_id=framework.id, roles_left=framework.roles)

    def _decline(self, framework: Framework, decline: Json, now: float) -> None:
        seconds = float(decline.get("filters", {}).get("refuse_seconds", 5.0))
        for entry in decline.get("offer_ids", []):
            offer = self.cluster.offers.get(entry["value"])
            if offer is not None and offer.framework_id == framework.id:
                del self.cluster.offers[offer.id]
                refuse(framework, offer.agent_id, offer.role, offer.resources, seconds, now)

    def _revive(self, framework: Framework, revive: Json) -> None:
        roles = set(revive.get("roles") or framework.roles)
        framework.suppressed -= roles
        framework.filters = {where: kept for where, kept in framework.filters.items() if where[1] not in roles}
        framework.revived += 1

    def _kill(self, framework: Framework, kill: Json) -> None:
        task_id = kill["task_id"]["value"]
        task = self.cluster.tasks.get((framework.id, task_id))
        if task is None or not task.alive:
            reconcile(self.cluster, framework, [kill])
            return
        order = {
            "type": "KILL",
            "task_id": task_id,
            "framework_id": framework.id,
            "kill_policy": kill.get("kill_policy"),
        }
        self.cluster.order(task.agent_id, order)

    def _acknowledge(self, framework: Framework, ack: Json) -> None:
        task_id, uuid = ack["task_id"]["value"], ack["uuid"]
        task = self.cluster.tasks.get((framework.id, task_id))
        if task is not None and not task.alive and task.status.get("uuid") == uuid:
            del self.cluster.tasks[framework.id, task_id]
        order = {"type": "ACK", "task_id": task_id, "framework_id": framework.id, "uuid": uuid}
        self.cluster.order(ack["agent_id"]["value"], order)
