"""Translation of operations: what an ACCEPT does, its ids, and what Mesos says became of it."""

from collections.abc import Mapping
from typing import Any, assert_never

from statefuldb.adapters.mesos.wire import Json, resource_to_wire
from statefuldb.model.identity import (
    LABEL_CLUSTER,
    LABEL_LEDGER,
    LABEL_NAME,
    LABEL_NAMESPACE,
    LABEL_ORDINAL,
    OperationId,
)
from statefuldb.model.keeper import ENVIRONMENT_VARIABLE, LEDGER_VARIABLE
from statefuldb.model.observed import OperationState, OperationStatus
from statefuldb.model.operations import Create, Destroy, Grow, LaunchTask, Operation, Reserve, Unreserve
from statefuldb.model.resources import Resource
from statefuldb.planning.storage.holding import identity_of

_KINDS: dict[type[Operation], str] = {
    Reserve: "RESERVE",
    Unreserve: "UNRESERVE",
    Create: "CREATE",
    Destroy: "DESTROY",
    Grow: "GROW_VOLUME",
    LaunchTask: "LAUNCH",
}


def operation_id(operation: Operation, position: int, offer_id: str) -> OperationId | None:
    """Return the id under which Mesos shall report on an operation; None for a LAUNCH, which must not carry one."""
    if isinstance(operation, LaunchTask):
        return None
    identity = next((i for i in map(identity_of, _touched(operation)) if i is not None), None)
    if identity is None:
        return None
    return OperationId(
        uid=identity.uid,
        ordinal=identity.ordinal,
        offer=offer_id,
        position=position,
        kind=_KINDS[type(operation)],
    )


def operation_status_from_wire(status: Mapping[str, Any]) -> OperationStatus | None:
    """Return an operation's status, or None where the operation or its state is none that we know."""
    known = OperationId.parse(status.get("operation_id", {}).get("value", ""))
    state = str(status.get("state"))
    if known is None or state not in set(OperationState):
        return None
    return OperationStatus(
        id=known,
        state=OperationState(state),
        agent_id=status.get("agent_id", {}).get("value"),
        message=status.get("message", ""),
        uuid=status.get("uuid", {}).get("value"),
    )


def operation_from_wire(listed: Mapping[str, Any]) -> OperationStatus | None:
    """Return what the master lists of an operation (GET_OPERATIONS), or None where it is none of ours."""
    latest = {**listed.get("latest_status", {}), "operation_id": listed.get("info", {}).get("id", {})}
    return operation_status_from_wire({**latest, "agent_id": listed.get("agent_id", {}), "uuid": {}})


def operation_status_to_acknowledge(status: OperationStatus) -> Json:
    """Return what the driver needs to acknowledge a status that has a uuid and an agent."""
    return {
        "operation_id": {"value": str(status.id)},
        "uuid": {"value": status.uuid},
        "agent_id": {"value": status.agent_id},
    }


def operation_to_wire(operation: Operation, keeper_command: tuple[str, ...], known_as: OperationId | None) -> Json:
    """Return one operation of an ACCEPT. `keeper_command` is the keeper's argument vector on the agents."""
    wire = _body(operation, keeper_command)
    return {**wire, "id": {"value": str(known_as)}} if known_as is not None else wire


def _body(operation: Operation, keeper_command: tuple[str, ...]) -> Json:
    match operation:
        case Reserve(resources=resources):
            return {"type": "RESERVE", "reserve": {"resources": _all(resources)}}
        case Unreserve(resources=resources):
            return {"type": "UNRESERVE", "unreserve": {"resources": _all(resources)}}
        case Create(volume=volume):
            return {"type": "CREATE", "create": {"volumes": [resource_to_wire(volume)]}}
        case Destroy(volume=volume):
            return {"type": "DESTROY", "destroy": {"volumes": [resource_to_wire(volume)]}}
        case Grow(volume=volume, addition=addition):
            body = {"volume": resource_to_wire(volume), "addition": resource_to_wire(addition)}
            return {"type": "GROW_VOLUME", "grow_volume": body}
        case LaunchTask():
            task = _task_to_wire(operation, keeper_command)
            return {"type": "LAUNCH", "launch": {"task_infos": [task]}}
        case _:
            assert_never(operation)


def _touched(operation: Operation) -> tuple[Resource, ...]:
    match operation:
        case Reserve(resources=resources) | Unreserve(resources=resources) | LaunchTask(resources=resources):
            return resources
        case Create(volume=volume) | Destroy(volume=volume) | Grow(volume=volume):
            return (volume,)
        case _:
            assert_never(operation)


def _all(resources: tuple[Resource, ...]) -> list[Json]:
    return [resource_to_wire(resource) for resource in resources]


def _task_to_wire(task: LaunchTask, keeper_command: tuple[str, ...]) -> Json:
    keeper = task.keeper
    labels = {
        LABEL_CLUSTER: keeper.cluster,
        LABEL_NAMESPACE: keeper.namespace,
        LABEL_NAME: keeper.name,
        LABEL_ORDINAL: str(keeper.ordinal),
        LABEL_LEDGER: task.ledger,
    }
    variables = {ENVIRONMENT_VARIABLE: keeper.to_json(), LEDGER_VARIABLE: task.ledger}
    return {
        "name": task.name,
        "task_id": {"value": str(task.task_id)},
        "agent_id": {"value": task.agent_id},
        "resources": _all(task.resources),
        "command": {
            "shell": False,
            "value": keeper_command[0],
            "arguments": list(keeper_command),
            "environment": {"variables": [{"name": k, "value": v} for k, v in variables.items()]},
        },
        "kill_policy": {"grace_period": {"nanoseconds": task.grace_seconds * 10**9}},
        "labels": {"labels": [{"key": k, "value": v} for k, v in labels.items()]},
    }
