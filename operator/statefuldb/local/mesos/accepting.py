"""ACCEPT: each operation is judged alone and in order, on what the ones before it left (transcripts 03, 14, 36)."""

from typing import Any

from statefuldb.local.mesos.allocation import DEFAULT_REFUSE_SECONDS, refuse
from statefuldb.local.mesos.cluster import Cluster, Framework, Task, task_status
from statefuldb.local.mesos.resources import Bag, InvalidResource

Json = dict[str, Any]


class MasterAborted(BaseException):
    """A request that kills a real master (master.cpp:12956): the process must end."""


def accept(cluster: Cluster, framework: Framework, call: Json, now: float) -> None:
    """Apply the operations of one ACCEPT."""
    ids = [offer["value"] for offer in call.get("offer_ids", [])]
    operations = call.get("operations", [])
    offers = [cluster.offers[i] for i in ids if i in cluster.offers]
    valid = [o for o in offers if o.framework_id == framework.id]
    if len(valid) != len(ids) or len({(o.agent_id, o.role) for o in valid}) != 1:
        stale = next((i for i in ids if i not in cluster.offers), ids[0] if ids else "")
        _refuse_all(cluster, framework, operations, f"Offer {stale} is no longer valid")
        for offer in valid:
            del cluster.offers[offer.id]
        return
    agent_id, role = valid[0].agent_id, valid[0].role
    original = Bag()
    for offer in valid:
        original = original + offer.resources
        del cluster.offers[offer.id]
    left = _Applying(cluster, framework, agent_id, role, original).run(operations)
    seconds = float(call.get("filters", {}).get("refuse_seconds", DEFAULT_REFUSE_SECONDS))
    unconverted = original - (original - left)
    refuse(framework, agent_id, role, unconverted, seconds, now)


def _refuse_all(cluster: Cluster, framework: Framework, operations: list[Json], reason: str) -> None:
    for operation in operations:
        for info in _tasks_of(operation):
            message = f"Task launched with invalid offers: {reason}"
            event = task_status(
                info["task_id"]["value"],
                "TASK_DROPPED",
                reason="REASON_INVALID_OFFERS",
                message=message,
                agent_id=info.get("agent_id", {}).get("value"),
            )
            cluster.tell(framework.id, event)
        if "id" in operation:
            message = f"Operation attempted with invalid offers: {reason}"
            _fail(cluster, framework, operation, message)


def _tasks_of(operation: Json) -> list[Json]:
    if operation.get("type") == "LAUNCH":
        return list(operation.get("launch", {}).get("task_infos", []))
    return []


def _fail(cluster: Cluster, framework: Framework, operation: Json, message: str) -> None:
    """Tell of a refused operation: only where it has an id, once, without uuid and agent."""
    if "id" not in operation:
        return
    status = {"operation_id": operation["id"], "state": "OPERATION_ERROR", "message": message}
    cluster.tell(
        framework.id,
        {"type": "UPDATE_OPERATION_STATUS", "update_operation_status": {"status": status}},
    )


class _Applying:
    """One ACCEPT in progress on one agent."""

    def __init__(self, cluster: Cluster, framework: Framework, agent_id: str, role: str, pool: Bag) -> None:
        self._cluster = cluster
        self._framework = framework
        self._agent_id = agent_id
        self._role = role
        self._pool = pool

    def run(self, operations: list[Json]) -> Bag:
        """Apply the operations and return what is left of the offers."""
        for operation in operations:
            kind = operation.get("type", "")
            if kind == "LAUNCH":
                for info in _tasks_of(operation):
                    self._launch(info, has_id="id" in operation)
                continue
            try:
                before, after = self._conversion(kind, operation)
                self._convert(kind, operation, before, after)
            except InvalidResource as error:
                message = f"{error}; on agent {self._agent_id}"
                _fail(self._cluster, self._framework, operation, message)
        return self._pool

    def _conversion(self, kind: str, operation: Json) -> tuple[Bag, Bag]:
        """Return what an operation takes and what it gives."""
        if kind in ("RESERVE", "UNRESERVE"):
            resources = operation[kind.lower()]["resources"]
            reserved = _bag(resources, crashes=kind == "RESERVE")
            outer = []
            for resource in resources:
                self._check_reservation(kind, resource)
                outer.append({**resource, "reservations": resource["reservations"][:-1]})
            plain = Bag.of(outer)
            return (plain, reserved) if kind == "RESERVE" else (reserved, plain)
        if kind in ("CREATE", "DESTROY"):
            volumes = operation[kind.lower()]["volumes"]
            created = _bag(volumes, crashes=kind == "CREATE")
            if kind == "CREATE":
                self._check_volumes(volumes)
            plain = Bag.of([_without_volume(volume) for volume in volumes])
            return (plain, created) if kind == "CREATE" else (created, plain)
        raise InvalidResource(f"Unsupported operation {kind or 'UNKNOWN'}")

    def _check_reservation(self, kind: str, resource: Json) -> None:
        stack = resource.get("reservations", [])
        if not stack or stack[-1].get("type", "DYNAMIC") != "DYNAMIC":
            raise InvalidResource(f"Resource {resource['name']} is not dynamically reserved")
        if kind == "UNRESERVE" and "persistence" in resource.get("disk", {}):
            raise InvalidResource(
                "A dynamically reserved persistent volume cannot be unreserved directly. "
                "Please destroy the persistent volume first then unreserve the resource"
            )
        if kind == "RESERVE" and stack[-1]["role"] != self._role:
            raise InvalidResource(
                f"A reserve operation was attempted for a resource with role '{stack[-1]['role']}', "
                f"but the resource was allocated to role '{self._role}'"
            )
        wanted, given = self._framework.info.get("principal"), stack[-1].get("principal")
        if kind == "RESERVE" and wanted and given != wanted:
            raise InvalidResource(
                f"A reserve operation was attempted by principal '{wanted}', which does not match "
                f"a reserved resource in the request with principal '{given}'"
            )

    def _check_volumes(self, volumes: list[Json]) -> None:
        agent = self._cluster.agents[self._agent_id]
        taken = agent.total.persistence_ids()
        for volume in volumes:
            disk = volume.get("disk", {})
            if "persistence" not in disk:
                raise InvalidResource("'persistence' is not set in DiskInfo")
            if "volume" not in disk:
                raise InvalidResource("Expecting 'volume' to be set for persistent volume")
            if disk["volume"].get("mode", "RW") != "RW":
                raise InvalidResource("Read-only persistent volume not supported")
            if not volume.get("reservations"):
                raise InvalidResource("Persistent volumes cannot be created from unreserved resources")
            identity = disk["persistence"]["id"]
            if "/" in identity or not identity:
                raise InvalidResource("Invalid persistence ID for persistent volume")
            if (volume["reservations"][-1]["role"], identity) in taken:
                raise InvalidResource(f"Persistence ID '{identity}' is not unique")

    def _convert(self, kind: str, operation: Json, before: Bag, after: Bag) -> None:
        if not self._pool.contains(before):
            if kind == "DESTROY":
                raise InvalidResource("Persistent volumes not found")
            raise InvalidResource(f"Invalid {kind} Operation: {self._pool} does not contain {before}")
        self._pool = self._pool - before + after
        agent = self._cluster.agents[self._agent_id]
        agent.total = agent.total - before + after
        order = {
            "type": "APPLY",
            "framework_id": self._framework.id,
            "operation": operation,
            "total": agent.total.to_json(),
        }
        self._cluster.order(self._agent_id, order)

    def _launch(self, info: Json, *, has_id: bool) -> None:
        cluster, framework = self._cluster, self._framework
        task_id = info["task_id"]["value"]
        problem = self._problem(info, has_id)
        if problem is not None:
            event = task_status(
                task_id,
                "TASK_ERROR",
                reason="REASON_TASK_INVALID",
                message=problem,
                agent_id=self._agent_id,
            )
            cluster.tell(framework.id, event)
            return
        resources = Bag.of(info["resources"])
        self._pool = self._pool - resources
        status = {"task_id": {"value": task_id}, "state": "TASK_STAGING"}
        cluster.tasks[framework.id, task_id] = Task(
            task_id, framework.id, self._agent_id, info, resources, self._role, status
        )
        order = {"type": "RUN_TASK", "framework": framework.info, "task": info}
        cluster.order(self._agent_id, order)

    def _problem(self, info: Json, has_id: bool) -> str | None:
        task_id = info["task_id"]["value"]
        if has_id:
            return "The `id` field cannot be set on LAUNCH operations"
        if (self._framework.id, task_id) in self._cluster.tasks:
            return f"Task has duplicate ID: {task_id}"
        agent = info.get("agent_id", {}).get("value")
        if agent != self._agent_id:
            return f"Task uses invalid agent {agent} while agent {self._agent_id} is expected"
        if ("command" in info) == ("executor" in info):
            return "Task should have at least one (but not both) of CommandInfo or ExecutorInfo present"
        try:
            wanted = Bag.of(info.get("resources", []))
        except InvalidResource as error:
            return f"Task uses invalid resources: {error}"
        if not wanted:
            return "Task uses no resources"
        if not self._pool.contains(wanted):
            return f"Total resources {wanted} required by task and its executor is more than available {self._pool}"
        return None


def _bag(resources: list[Json], *, crashes: bool) -> Bag:
    for resource in resources:
        if crashes and resource.get("scalar", {}).get("value") == 0:
            raise MasterAborted("Check failed: scalar of 0 in RESERVE or CREATE")
    return Bag.of(resources)


def _without_volume(resource: Json) -> Json:
    disk = {k: v for k, v in resource.get("disk", {}).items() if k not in ("persistence", "volume")}
    rest = {k: v for k, v in resource.items() if k != "disk"}
    return {**rest, "disk": disk} if disk else rest
