"""Translation between v1 JSON and the model: the only place that knows how Mesos writes things.

Resources are echoed as they were offered; what we do not understand (shared, revocable, of a resource provider) is
left out of the model and so never touched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from statefuldb.adapters.mesos.maintenance_book import InverseOffer
from statefuldb.model.identity import (
    CONTAINER_PATH,
    LABEL_LEDGER,
    TaskId,
)
from statefuldb.model.observed import TaskState, TaskStatus
from statefuldb.model.resources import (
    AgentOffer,
    DiskSource,
    Persistence,
    Reservation,
    Resource,
    Unavailability,
)
from statefuldb.model.spec import DiskType
from statefuldb.model.volume import AgentRef, VolumeRecord
from statefuldb.model.volume_object import from_label
from statefuldb.planning.storage.holding import identity_of

Json = dict[str, Any]
_NOT_OURS = ("shared", "revocable", "provider_id")
_DISK_TYPES = {"PATH": DiskType.PATH, "MOUNT": DiskType.MOUNT}


def offer_from_wire(offer: Mapping[str, Any], now: float) -> AgentOffer:
    """Return one offer. `now` is when it came, in Unix seconds."""
    address = offer.get("url", {}).get("address", {})
    return AgentOffer(
        agent_id=offer["agent_id"]["value"],
        hostname=offer["hostname"],
        address=address.get("ip") or address.get("hostname") or offer["hostname"],
        role=offer.get("allocation_info", {}).get("role", "*"),
        offer_ids=(offer["id"]["value"],),
        resources=tuple(
            resource_from_wire(r) for r in offer.get("resources", []) if not any(field in r for field in _NOT_OURS)
        ),
        attributes=attributes_from_wire(offer.get("attributes", [])),
        received_at_seconds=now,
        unavailability=_unavailability(offer),
    )


def attributes_from_wire(attributes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return an agent's attributes as manifests name them. What looks like a number is one for Mesos: `rack:1`."""
    texts = {a["name"]: str(a["text"]["value"]) for a in attributes if "text" in a}
    numbers = {a["name"]: f"{round(float(a['scalar']['value']), 3):.15g}" for a in attributes if "scalar" in a}
    return {**numbers, **texts}


def inverse_offer_from_wire(offer: Mapping[str, Any]) -> InverseOffer | None:
    """Return one inverse offer, or None where it names no agent or no time."""
    window = _unavailability(offer)
    if window is None or "agent_id" not in offer:
        return None
    return InverseOffer(id=offer["id"]["value"], agent_id=offer["agent_id"]["value"], window=window)


def _unavailability(offer: Mapping[str, Any]) -> Unavailability | None:
    wire = offer.get("unavailability")
    if wire is None:
        return None
    duration = wire.get("duration")
    return Unavailability(
        start_seconds=int(wire["start"]["nanoseconds"]) / 1e9,
        duration_seconds=int(duration["nanoseconds"]) / 1e9 if duration is not None else None,
    )


def agent_ref(agent: Mapping[str, Any]) -> AgentRef:
    """Return where an agent of GET_AGENTS is."""
    info = agent["agent_info"]
    address = agent.get("pid", "").rpartition("@")[2].rpartition(":")[0]
    return AgentRef(id=info["id"]["value"], hostname=info["hostname"], address=address or info["hostname"])


def reserved_from_wire(agent: Mapping[str, Any], cluster: str) -> AgentOffer | None:
    """Return what is reserved for us on an agent of GET_AGENTS, as if it were offered; None where nothing is.

    No offer id: it says what there is, and nothing can be accepted with it.
    """
    ours = [resource_from_wire(r) for r in agent.get("total_resources", [])]
    ours = [r for r in ours if (owner := identity_of(r)) is not None and owner.cluster == cluster]
    if not ours:
        return None
    place = agent_ref(agent)
    return AgentOffer(
        agent_id=place.id,
        hostname=place.hostname,
        address=place.address,
        role=ours[0].reservations[-1].role,
        offer_ids=(),
        resources=tuple(ours),
        attributes={},
    )


def resource_from_wire(resource: Mapping[str, Any]) -> Resource:
    """Return one resource."""
    disk = resource.get("disk", {})
    source = disk.get("source")
    persistence = disk.get("persistence")
    scalar = resource.get("scalar", {}).get("value", 0)
    spans = resource.get("ranges", {}).get("range", [])
    return Resource(
        name=resource["name"],
        amount_milli=round(float(scalar) * 1000),
        ranges=tuple((int(s["begin"]), int(s["end"])) for s in spans),
        reservations=tuple(_reservation(r) for r in resource.get("reservations", [])),
        source=_source(source) if source else DiskSource(),
        persistence=Persistence(
            id=persistence["id"],
            principal=persistence.get("principal"),
            container_path=disk.get("volume", {}).get("container_path", CONTAINER_PATH),
        )
        if persistence
        else None,
        allocation_role=resource.get("allocation_info", {}).get("role"),
    )


def resource_to_wire(resource: Resource) -> Json:
    """Return one resource as v1 JSON."""
    wire: Json = {"name": resource.name}
    if resource.ranges:
        wire["type"] = "RANGES"
        wire["ranges"] = {"range": [{"begin": b, "end": e} for b, e in resource.ranges]}
    else:
        wire["type"] = "SCALAR"
        wire["scalar"] = {"value": resource.amount_milli / 1000}
    if resource.reservations:
        wire["reservations"] = [_reservation_to_wire(r) for r in resource.reservations]
    disk = _disk_to_wire(resource)
    if disk:
        wire["disk"] = disk
    if resource.allocation_role is not None:
        wire["allocation_info"] = {"role": resource.allocation_role}
    return wire


def status_from_wire(status: Mapping[str, Any], now: float) -> TaskStatus | None:
    """Return a task's status, or None where the task or its state is none that we know."""
    task_id = TaskId.parse(status["task_id"]["value"])
    state = str(status.get("state"))
    if task_id is None or state not in set(TaskState):
        return None
    return TaskStatus(
        id=task_id,
        state=TaskState(state),
        agent_id=status.get("agent_id", {}).get("value"),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        uuid=status.get("uuid"),
        seen_at_seconds=now,
        unreachable_at_seconds=_unreachable_at(status),
    )


def _unreachable_at(status: Mapping[str, Any]) -> float | None:
    told = int(status.get("unreachable_time", {}).get("nanoseconds", 0))
    return told / 1e9 if told else None


def ids_to_wire(ids: Sequence[str]) -> list[Json]:
    """Return ids as Mesos writes them."""
    return [{"value": each} for each in ids]


def ledger_of_task(task: Mapping[str, Any], cluster: str) -> VolumeRecord | None:
    """Return the ledger entry in the labels of a task of ours (GET_TASKS), or None for any other task."""
    labels = {label["key"]: label.get("value", "") for label in task.get("labels", {}).get("labels", [])}
    record = from_label(labels.get(LABEL_LEDGER, ""))
    return record if record is not None and record.identity.cluster == cluster else None


def status_to_acknowledge(status: TaskStatus) -> Json:
    """Return what pymesos needs to acknowledge a status."""
    return {
        "task_id": {"value": str(status.id)},
        "agent_id": {"value": status.agent_id},
        "uuid": status.uuid,
    }


def _reservation(wire: Mapping[str, Any]) -> Reservation:
    labels = wire.get("labels", {}).get("labels", [])
    return Reservation(
        dynamic=wire.get("type", "DYNAMIC") == "DYNAMIC",
        role=wire["role"],
        principal=wire.get("principal"),
        labels=tuple((label["key"], label.get("value", "")) for label in labels),
    )


def _reservation_to_wire(reservation: Reservation) -> Json:
    wire: Json = {
        "type": "DYNAMIC" if reservation.dynamic else "STATIC",
        "role": reservation.role,
    }
    if reservation.principal is not None:
        wire["principal"] = reservation.principal
    if reservation.labels:
        labels = [{"key": k, "value": v} for k, v in reservation.labels]
        wire["labels"] = {"labels": labels}
    return wire


def _source(wire: Mapping[str, Any]) -> DiskSource:
    kind = wire.get("type", "")
    root = wire.get(kind.lower(), {}).get("root")
    return DiskSource(type=_DISK_TYPES.get(kind, DiskType.ROOT), root=root, wire=kind)


def _disk_to_wire(resource: Resource) -> Json:
    disk: Json = {}
    if resource.source.wire:
        kind = resource.source.wire
        root = {"root": resource.source.root} if resource.source.root else {}
        disk["source"] = {"type": kind, kind.lower(): root}
    if resource.persistence is not None:
        persistence: Json = {"id": resource.persistence.id}
        if resource.persistence.principal is not None:
            persistence["principal"] = resource.persistence.principal
        disk["persistence"] = persistence
        disk["volume"] = {
            "container_path": resource.persistence.container_path,
            "mode": "RW",
        }
    return disk
