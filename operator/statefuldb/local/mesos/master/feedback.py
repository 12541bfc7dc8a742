"""Operations in progress, and what frameworks hear of them.

An agent reports an operation until it is acknowledged; the master knows it as long. What the master refuses itself is
told once, without uuid and agent.
"""

import uuid
from typing import Any

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.records import Agent, Framework, Operation
from statefuldb.local.mesos.resources.multiset import Bag
from statefuldb.local.mesos.resources.operations import RESIZING

Json = dict[str, Any]


def refuse(cluster: Cluster, framework: Framework, operation: Json, message: str) -> None:
    """Tell of an operation that the master refuses; without an id nobody hears of it."""
    if "id" in operation:
        _tell(cluster, framework.id, _status(operation["id"], "OPERATION_ERROR", message))


def order(cluster: Cluster, agent: Agent, framework_id: str, info: Json, before: Bag, after: Bag) -> None:
    """Have an agent carry out an operation. GROW and SHRINK are seen once they have finished, all others at once."""
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{cluster.master_id}/{cluster.next_serial()}"))
    status = _status(info.get("id"), "OPERATION_PENDING", None, agent.id)
    one = Operation(key, framework_id, agent.id, info, status)
    total = agent.total - before + after
    if info["type"] in RESIZING:
        one.held, one.given = before, after
    else:
        agent.total = total
    cluster.operations[one.uuid] = one
    message = {"type": "APPLY", "uuid": one.uuid, "framework_id": framework_id, "operation": info}
    cluster.order(agent.id, {**message, "total": total.to_json()})


def updated(cluster: Cluster, agent_id: str, message: Json) -> None:
    """Take an agent's report of an operation and pass it on to its framework."""
    status = message["status"]
    if message["framework_id"] in cluster.removed:
        # Nobody is left to thank the agent, so the master does.
        cluster.operations.pop(message["uuid"], None)
        cluster.order(agent_id, {"type": "ACK_OPERATION", "uuid": message["uuid"]})
        return
    one = cluster.operations.get(message["uuid"])
    if one is None:
        # Acknowledged meanwhile: it is passed on, and nothing is kept (master.cpp, `updateOperationStatus`).
        if "operation_id" in status:
            _tell(cluster, message["framework_id"], status)
        return
    one.status, one.statuses = status, [status]
    if one.held:
        _settle(cluster, one)
    if one.id is None:
        del cluster.operations[one.uuid]
    else:
        _tell(cluster, one.framework_id, status)


def acknowledged(cluster: Cluster, framework: Framework, ack: Json) -> None:
    """Forget an operation whose latest status is acknowledged; anything else does nothing."""
    identity = ack.get("operation_id", {}).get("value")
    # Those of its agent first: thousands may be under way, each of which is acknowledged.
    near = cluster.operations.on(ack.get("agent_id", {}).get("value", ""))
    for one in near if any(one.id == identity for one in near) else list(cluster.operations.values()):
        known = one.status.get("uuid", {}).get("value")
        if one.framework_id == framework.id and one.id == identity and known == ack["uuid"]:
            del cluster.operations[one.uuid]
            cluster.order(one.agent_id, {"type": "ACK_OPERATION", "uuid": one.uuid})


def reconcile(cluster: Cluster, framework: Framework, wanted: list[Json]) -> None:
    """Answer RECONCILE_OPERATIONS; implicitly for an empty list, where what is not known is not mentioned."""
    known = [one for one in cluster.operations.values() if one.framework_id == framework.id and one.id is not None]
    if not wanted:
        for one in known:
            _tell(cluster, framework.id, _without_uuid(one.status))
    by_id = {one.id: one for one in known}
    for entry in wanted:
        mine = by_id.get(entry["operation_id"]["value"])
        agent_id = entry.get("agent_id", {}).get("value")
        status = _without_uuid(mine.status) if mine else _unknown(cluster, entry["operation_id"], agent_id)
        _tell(cluster, framework.id, status)


def gone(cluster: Cluster, agent: Agent) -> None:
    """Tell of the operations of an agent that will never return."""
    for one in cluster.operations.on(agent.id):
        if one.id is not None:
            message = "Agent has been marked gone"
            status = _status(one.info["id"], "OPERATION_GONE_BY_OPERATOR", message, agent.id)
            _tell(cluster, one.framework_id, status)
        del cluster.operations[one.uuid]


def described(one: Operation) -> Json:
    """Return an operation as GET_OPERATIONS shows it."""
    return {
        "framework_id": {"value": one.framework_id},
        "agent_id": {"value": one.agent_id},
        "info": one.info,
        "latest_status": one.status,
        "statuses": one.statuses,
        "uuid": {"value": one.uuid},
    }


def _settle(cluster: Cluster, one: Operation) -> None:
    """Let what a GROW or SHRINK gave be seen; what SHRINK frees stays away while its framework lives."""
    agent = cluster.agents.get(one.agent_id)
    if agent is not None:
        agent.total = agent.total - one.held + one.given
    framework = cluster.frameworks.get(one.framework_id)
    if one.info["type"] == "SHRINK_VOLUME" and framework is not None:
        freed = Bag.of(r for r in one.given.to_json() if "persistence" not in r.get("disk", {}))
        framework.withheld.append((one.agent_id, freed))
    one.held = one.given = Bag()


def _unknown(cluster: Cluster, identity: Json, agent_id: str | None) -> Json:
    agent = cluster.agents.get(agent_id or "")
    if agent_id is None:
        return _status(
            identity, "OPERATION_UNKNOWN", "Reconciliation: Operation is unknown and no 'agent_id' was provided"
        )
    if agent is None:
        return _status(identity, "OPERATION_UNKNOWN", "Reconciliation: Both operation and agent are unknown", agent_id)
    if agent.recovered:
        state, why = "OPERATION_RECOVERING", "Agent is recovered but has not re-registered"
    elif agent.gone:
        state, why = "OPERATION_GONE_BY_OPERATOR", "Agent marked gone by operator"
    elif agent.unreachable:
        state, why = "OPERATION_UNREACHABLE", "Agent is unreachable"
    else:
        state, why = "OPERATION_UNKNOWN", "Operation is unknown"
    return _status(identity, state, f"Reconciliation: {why}", agent_id)


def _status(identity: Json | None, state: str, message: str | None, agent_id: str | None = None) -> Json:
    status: Json = {"state": state}
    if identity is not None:
        status["operation_id"] = identity
    if message is not None:
        status["message"] = message
    if agent_id is not None:
        status["agent_id"] = {"value": agent_id}
    return status


def _without_uuid(status: Json) -> Json:
    return {k: v for k, v in status.items() if k != "uuid"}


def _tell(cluster: Cluster, framework_id: str, status: Json) -> None:
    event = {"type": "UPDATE_OPERATION_STATUS", "update_operation_status": {"status": status}}
    cluster.tell(framework_id, event)
