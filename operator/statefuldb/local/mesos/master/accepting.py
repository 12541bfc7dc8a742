"""ACCEPT: each operation is judged alone and in order, on what the ones before it left."""

from typing import Any

from statefuldb.local.mesos.master import feedback
from statefuldb.local.mesos.master.allocation import DEFAULT_REFUSE_SECONDS, refuse, withdraw_shared
from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.groups import launch_group
from statefuldb.local.mesos.master.launching import launch, tasks_of, tell_error
from statefuldb.local.mesos.master.records import Agent, Framework, Offer
from statefuldb.local.mesos.resources import operations
from statefuldb.local.mesos.resources.forms import everywhere, upgraded
from statefuldb.local.mesos.resources.multiset import Bag, InvalidResource
from statefuldb.local.mesos.resources.operations import Asker, Ground
from statefuldb.local.mesos.resources.rules import malformed

Json = dict[str, Any]


def accept(cluster: Cluster, framework: Framework, call: Json, now: float) -> None:
    """Apply the operations of one ACCEPT."""
    ids = [offer["value"] for offer in call.get("offer_ids", [])]
    wanted = [everywhere(one, upgraded) for one in call.get("operations", [])]
    problem = _invalid_offers(cluster, framework, ids)
    offers = [cluster.offers.pop(i) for i in dict.fromkeys(ids) if i in cluster.offers]
    if problem is not None:
        _refuse_all(cluster, framework, wanted, problem)
        return
    original = Bag()
    for offer in offers:
        original = original + offer.resources
    agent = cluster.agents[offers[0].agent_id]
    left = _Applying(cluster, framework, agent, offers[0].role, original).run(wanted)
    seconds = float(call.get("filters", {}).get("refuse_seconds", DEFAULT_REFUSE_SECONDS))
    unconverted = original - (original - left)
    refuse(framework, agent.id, offers[0].role, unconverted, seconds, now)


def _invalid_offers(cluster: Cluster, framework: Framework, ids: list[str]) -> str | None:
    """Return why offers cannot be accepted together, or None."""
    if not ids:
        return "No offers specified"
    doubled = next((i for i in ids if ids.count(i) > 1), None)
    if doubled is not None:
        return f"Duplicate offer {doubled} in offer list"
    stale = next((i for i in ids if i not in cluster.offers), None)
    if stale is not None:
        return f"Offer {stale} is no longer valid"
    offers = [cluster.offers[i] for i in ids]
    return _of_different_kinds(framework, offers)


def _of_different_kinds(framework: Framework, offers: list[Offer]) -> str | None:
    first = offers[0]
    for offer in offers:
        if offer.framework_id != framework.id:
            return (
                f"Offer {offer.id} has invalid framework {offer.framework_id} while framework {framework.id} "
                "is expected"
            )
    for offer in offers:
        if offer.role != first.role:
            # The quotes are as unbalanced in Mesos.
            return (
                f"Aggregated offers must be allocated to the same role. Offer {offer.id} uses role '{offer.role} "
                f"but another is using role '{first.role}"
            )
    for offer in offers:
        if offer.agent_id != first.agent_id:
            return (
                f"Aggregated offers must belong to one single agent. Offer {offer.id} uses agent {offer.agent_id} "
                f"and agent {first.agent_id}"
            )
    return None


def _refuse_all(cluster: Cluster, framework: Framework, wanted: list[Json], reason: str) -> None:
    for operation in wanted:
        for info in tasks_of(operation):
            agent_id = info.get("agent_id", {}).get("value")
            why = {"reason": "REASON_INVALID_OFFERS", "message": f"Task launched with invalid offers: {reason}"}
            cluster.tell_task(framework.id, info["task_id"]["value"], framework.state("TASK_DROPPED"), agent_id, **why)
        feedback.refuse(cluster, framework, operation, f"Operation attempted with invalid offers: {reason}")


class _Applying:
    """One ACCEPT in progress on one agent."""

    def __init__(self, cluster: Cluster, framework: Framework, agent: Agent, role: str, pool: Bag) -> None:
        self._cluster = cluster
        self._framework = framework
        self._agent = agent
        self._role = role
        self._pool = pool

    def run(self, wanted: list[Json]) -> Bag:
        """Apply the operations and return what is left of the offers."""
        # What is no operation at all is refused before the first one is applied.
        for operation in [one for one in wanted if self._is_well_formed(one)]:
            allocated = everywhere(operation, self._allocated)
            if operation["type"] == "LAUNCH":
                for info in tasks_of(allocated):
                    self._pool = launch(self._cluster, self._framework, self._agent, self._role, info, self._pool)
            elif operation["type"] == "LAUNCH_GROUP":
                within = (self._framework, self._agent, self._role)
                self._pool = launch_group(self._cluster, *within, allocated, self._pool)
            else:
                self._convert(allocated)
        return self._pool

    def _allocated(self, resource: Json) -> Json:
        return {"allocation_info": {"role": self._role}, **resource}

    def _is_well_formed(self, operation: Json) -> bool:
        kind = operation.get("type", "UNKNOWN")
        if kind in ("LAUNCH", "LAUNCH_GROUP"):
            executor = operation.get("launch_group", {}).get("executor", {})
            reason = malformed(r for one in (*tasks_of(operation), executor) for r in one.get("resources", []))
            if reason is None and "id" in operation:
                reason = f"The `id` field cannot be set on {kind} operations"
            for info in tasks_of(operation) if reason is not None else []:
                called = "INVALID" if kind == "LAUNCH" else "GROUP_INVALID"
                tell_error(self._cluster, self._framework, info, reason or "", called)
            return reason is None
        if kind not in operations.KINDS:
            return False
        reason = operations.malformed(operation)
        if reason is None and operation.get("reserve", {}).get("source"):
            reason = "Reservation updates are not yet implemented for the scheduler API."
        if reason is not None:
            message = f"Operation attempted with invalid resources: {reason}"
            feedback.refuse(self._cluster, self._framework, operation, message)
        return reason is None

    def _convert(self, operation: Json) -> None:
        framework, agent = self._framework, self._agent
        asker = Asker(framework.info.get("principal"), framework.roles, framework.id, framework.can("SHARED_RESOURCES"))
        ground = Ground(agent.total, [user.resources for user in self._cluster.users_on(agent.id)])
        try:
            operations.check(operation, asker, ground)
        except InvalidResource as error:
            feedback.refuse(self._cluster, framework, operation, f"{error}; on agent {agent}")
            return
        denied = self._cluster.acls.denied_operation(operation, asker.principal)
        if denied is not None:
            # Without an id nobody hears of this either.
            feedback.refuse(
                self._cluster, framework, operation, f"Principal '{asker.principal}' no authorized to {denied}"
            )
            return
        before, after = operations.conversion(operation)
        if not self._pool.contains(before):
            message = f"{self._pool.text(self._role)} does not contain {before.text(self._role)}"
            if operation["type"] in operations.RESIZING:
                message = f"Invalid {operation['type']} operation: {message}"
            feedback.refuse(self._cluster, framework, operation, message)
            return
        self._pool = self._pool - before
        if operation["type"] not in operations.RESIZING:
            self._pool = self._pool + after
        if operation["type"] == "DESTROY":
            withdraw_shared(self._cluster, agent, before)
        feedback.order(self._cluster, agent, framework.id, operation, before, after)
