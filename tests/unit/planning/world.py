"""Named builders: a database, agents that offer, and a tiny Mesos that applies what plans call for."""

import json
from collections.abc import Mapping
from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.identity import FINALIZER, DatabaseKey, TaskId
from statefuldb.model.keeper import EngineStatus, KeeperPhase, KeeperStatus
from statefuldb.model.observed import (
    DatabaseObject,
    KeeperView,
    MesosView,
    Observed,
    SecretView,
    TaskState,
    TaskStatus,
)
from statefuldb.model.plan import Accepted, Plan
from statefuldb.model.resources import AgentOffer, Resource
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.spec import (
    AgentAttribute,
    DatabaseSpec,
    DfsSpec,
    EngineSpec,
    EngineType,
    HostPathSpec,
    PersistentVolumeSpec,
    ResourcesSpec,
    StorageSpec,
    Strategy,
)
from statefuldb.model.volume import VolumePhase, VolumeRecord
from statefuldb.model.volume_object import from_object, to_object
from statefuldb.planning.approval import applying
from statefuldb.planning.desired import Desired
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan

KEY = DatabaseKey(namespace="shop", name="orders")
UID = "11111111-2222-3333-4444-555555555555"
CLUSTER = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ROLE = "statefuldb"
OPERATOR = OperatorIdentity(cluster=CLUSTER, mesos_role=ROLE, principal="statefuldb", operator_ca_pem="PEM")
MIB = 1024 * 1024


def storage(strategy: Strategy) -> StorageSpec:
    members: dict[Strategy, StorageSpec] = {
        Strategy.PERSISTENT_VOLUME: StorageSpec(
            strategy=strategy, size_bytes=1024 * MIB, persistent_volume=PersistentVolumeSpec()
        ),
        Strategy.HOST_PATH: StorageSpec(
            strategy=strategy, size_bytes=1024 * MIB, host_path=HostPathSpec(path="/srv/db")
        ),
        Strategy.DFS: StorageSpec(
            strategy=strategy,
            size_bytes=1024 * MIB,
            dfs=DfsSpec(
                type="GlusterFS",
                mount_point="/mnt/shared",
                sub_path="databases",
                source=None,
                agent_attribute=AgentAttribute(name="statefuldb_dfs", value="/mnt/shared"),
            ),
        ),
    }
    return members[strategy]


def spec(strategy: Strategy = Strategy.PERSISTENT_VOLUME, **changes: object) -> DatabaseSpec:
    base = DatabaseSpec(
        engine=EngineSpec(type=EngineType.MARIADB, version="10.11"),
        resources=ResourcesSpec(cpus_milli=500, memory_bytes=512 * MIB),
        storage=storage(strategy),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def desired(wanted: DatabaseSpec, generation: int = 1) -> Desired:
    return Desired(accepted=Accepted(generation=generation, spec=wanted))


def database(**changes: object) -> DatabaseObject:
    base = DatabaseObject(
        key=KEY,
        uid=UID,
        generation=1,
        resource_version="1",
        deleting=False,
        finalizers=(FINALIZER,),
        spec={},
        status={},
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def offer(
    host: str = "agent-1",
    *,
    cpus: float = 4,
    mem_mib: int = 8192,
    disk_mib: int = 40960,
    ports: tuple[int, int] = (31000, 31009),
    attributes: Mapping[str, str] | None = None,
    extra: tuple[Resource, ...] = (),
) -> AgentOffer:
    return AgentOffer(
        agent_id=f"id-of-{host}",
        hostname=host,
        address="127.0.0.1",
        role=ROLE,
        offer_ids=(f"offer-of-{host}",),
        resources=(
            Resource(name="cpus", amount_milli=int(cpus * 1000)),
            Resource(name="mem", amount_milli=mem_mib * 1000),
            Resource(name="disk", amount_milli=disk_mib * 1000),
            Resource(name="ports", ranges=(ports,)),
            *extra,
        ),
        attributes=attributes or {"statefuldb_dfs": "/mnt/shared"},
        received_at_seconds=1_000.0,
    )


def observed(**changes: object) -> Observed:
    base = Observed(
        key=KEY,
        at_seconds=1_000.0,
        database=database(),
        volumes=(),
        tasks={},
        keepers={},
        mesos=MesosView(connected=True, framework_id="framework-1", role=ROLE, principal="statefuldb"),
        secret=None,
    )
    seen = replace(base, **changes)  # type: ignore[arg-type]
    return replace(seen, volumes=tuple(map(as_stored, seen.volumes)))


def as_stored(record: VolumeRecord) -> VolumeRecord:
    """Return an entry as an operator reads it back from the API: of some fields only the text is left."""
    return from_object(json.loads(json.dumps(to_object(record))))


def status(task_id: TaskId, state: TaskState) -> TaskStatus:
    return TaskStatus(id=task_id, state=state, agent_id="id-of-agent-1", uuid="u")


def tasks(record: VolumeRecord, state: TaskState) -> dict[TaskId, TaskStatus]:
    assert record.task_id is not None
    return {record.task_id: status(record.task_id, state)}


def keeper(record: VolumeRecord, **changes: object) -> dict[TaskId, KeeperView]:
    assert record.task_id is not None
    running = KeeperStatus(
        task_id=str(record.task_id),
        revision=1,
        phase=KeeperPhase.RUNNING,
        token=1,
        claim_held=True,
        engine=EngineStatus(version="10.11.6", pid=1, ready=True, answers_sql=True),
        credentials_revision="7",
    )
    view = KeeperView(task_id=record.task_id, status=replace(running, **changes))  # type: ignore[arg-type]
    return {record.task_id: view}


def secret(record: VolumeRecord) -> SecretView:
    assert record.launch is not None
    return SecretView(
        revision="7",
        username="orders",
        database="orders",
        host=record.launch.agent.address,
        port=str(record.launch.port),
    )


def remaining(offered: AgentOffer, accepted: AcceptOffers, *, launched: bool) -> AgentOffer:
    """Apply an ACCEPT to an offer as Mesos would; NotOffered here is an ACCEPT that Mesos would refuse."""
    return applying.remaining(offered, accepted.operations, launched=launched)


def with_only(offered: AgentOffer, name: str, milli: int) -> AgentOffer:
    """Return an offer with so much of what it has unreserved of one resource."""

    def cut(resource: Resource) -> Resource:
        return resource.part(milli) if resource.name == name and resource.unreserved else resource

    return replace(offered, resources=tuple(cut(r) for r in offered.resources))


def decide(wanted: DatabaseSpec, seen: Observed, *offers: AgentOffer) -> Plan:
    """Return the plan, which keeps the laws."""
    decided = plan(desired(wanted), seen, offers, OPERATOR)
    assert not violations(decided, seen, CLUSTER)
    return decided


def serving_on(strategy: Strategy) -> tuple[VolumeRecord, AgentOffer, AgentOffer]:
    """Return a member that serves, what its agent offers beside it, and what it would offer without it."""
    saved, accepted = plan(desired(spec(strategy)), observed(), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    record = replace(saved.volume, initialised=True, token=1, phase=VolumePhase.IN_USE)
    return record, remaining(offer(), accepted, launched=True), remaining(offer(), accepted, launched=False)


def running(record: VolumeRecord, **changes: object) -> Observed:
    """Return the sight of a member that serves."""
    return observed(
        volumes=(record,),
        tasks=tasks(record, TaskState.RUNNING),
        keepers=keeper(record),
        secret=secret(record),
        **changes,
    )
