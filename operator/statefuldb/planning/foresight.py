"""Foreseeing: the plan of each pass applied to an imagined world, until nothing is left to do.

What `statefuldb plan -f` shows before anything happens. The imagined Mesos has one agent that offers enough, every task
starts, every keeper is well; so it says what would be done and in which order, not whether the real cluster has room.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from statefuldb.model.actions import (
    AcceptOffers,
    Action,
    AddFinalizer,
    DeleteSecret,
    EnsureSecret,
    FenceAgent,
    ForgetVolume,
    KillTask,
    RemoveFinalizer,
    SaveVolume,
    SendCredentials,
)
from statefuldb.model.identity import FINALIZER, TaskId
from statefuldb.model.keeper import EngineStatus, KeeperPhase, KeeperStatus
from statefuldb.model.observed import KeeperView, Observed, SecretView, TaskState, TaskStatus
from statefuldb.model.operations import LaunchTask
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import AgentOffer
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.spec import DatabaseSpec, ReconcileMode, RiskClass
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning import imagined
from statefuldb.planning.approval import describe, risk_of
from statefuldb.planning.desired import Desired
from statefuldb.planning.planner import plan

PASSES_LIMIT = 50
SEEN = "seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """One step that would be taken. `approved` says that it needs nobody's approval."""

    risk: RiskClass
    description: str
    approved: bool


def foresee(
    desired: Desired, observed: Observed, operator: OperatorIdentity
) -> tuple[tuple[Foreseen, ...], tuple[Waiting, ...]]:
    """Return the steps towards `desired` in order, and what would still wait at the end."""
    spec = desired.spec
    if spec is None:
        return (), ()
    free = replace(spec, reconcile=replace(spec.reconcile, mode=ReconcileMode.APPLY, auto_approve=frozenset(RiskClass)))
    assert desired.accepted is not None
    wanted = replace(desired, accepted=replace(desired.accepted, spec=free))
    world = _World(observed=_settled(observed), agent=imagined.agent(free, observed))
    steps: list[Foreseen] = []
    waiting: tuple[Waiting, ...] = ()
    for _ in range(PASSES_LIMIT):
        decided = plan(wanted, world.observed, (world.agent,), operator)
        waiting = decided.waiting
        if not decided.actions:
            break
        for action in decided.actions:
            if _is_told(action, world.observed.volumes):
                steps.append(_step(action, spec))
            world.carry_out(action)
    return tuple(steps), waiting


def _is_told(action: Action, volumes: tuple[VolumeRecord, ...]) -> bool:
    """Leave out what the ledger only learns or says ahead of the next action; whose data it is, is told."""
    if not isinstance(action, SaveVolume):
        return True
    saved = action.volume
    return any(v.name == saved.name and (v.owner_uid, v.intent) != (saved.owner_uid, saved.intent) for v in volumes)


def _step(action: Action, spec: DatabaseSpec) -> Foreseen:
    risk = risk_of(action)
    held = spec.reconcile.mode is ReconcileMode.PLAN_ONLY or risk not in spec.reconcile.auto_approve
    return Foreseen(risk=risk, description=describe(action), approved=not held)


def _settled(observed: Observed) -> Observed:
    """Return the snapshot as it will be: Mesos connected, and what runs known to be well."""
    tasks, keepers = dict(observed.tasks), dict(observed.keepers)
    revision = observed.secret.revision if observed.secret is not None else ""
    for record in observed.volumes:
        if record.task_id is not None and not record.ended:
            tasks.setdefault(record.task_id, _status(record.task_id, TaskState.RUNNING))
            keepers.setdefault(record.task_id, _well(record.task_id, revision, record.token))
    connected = replace(observed.mesos, connected=True)
    return replace(observed, tasks=tasks, keepers=keepers, mesos=connected, reserved=())


def _status(task_id: TaskId, state: TaskState) -> TaskStatus:
    return TaskStatus(id=task_id, state=state, agent_id=imagined.AGENT_ID)


def _well(task_id: TaskId, revision: str, token: int) -> KeeperView:
    engine = EngineStatus(ready=True, answers_sql=True)
    status = KeeperStatus(
        task_id=str(task_id),
        revision=1,
        phase=KeeperPhase.RUNNING,
        token=token,
        claim_held=True,
        engine=engine,
        credentials_revision=revision,
    )
    return KeeperView(task_id=task_id, status=status)


class _World:
    """The imagined world, changed by each action as the real one would be."""

    def __init__(self, *, observed: Observed, agent: AgentOffer) -> None:
        self.observed = observed
        self.agent = agent

    def carry_out(self, action: Action) -> None:
        """Apply one action's effect."""
        match action:
            case AddFinalizer() | RemoveFinalizer():
                held = (FINALIZER,) if isinstance(action, AddFinalizer) else ()
                if self.observed.database is not None:
                    self._see(database=replace(self.observed.database, finalizers=held))
            case SaveVolume(volume=volume):
                others = [v for v in self.observed.volumes if v.name != volume.name]
                self._see(volumes=(*others, volume))
            case ForgetVolume(volume=volume):
                self._see(volumes=tuple(v for v in self.observed.volumes if v.name != volume.name))
            case AcceptOffers():
                self._accept(action)
            case KillTask(task_id=task_id):
                self._kill(task_id)
            case EnsureSecret():
                self._see(
                    secret=SecretView(
                        revision=SEEN,
                        username=action.username,
                        database=action.database,
                        host=action.host,
                        port=str(action.port),
                    )
                )
            case DeleteSecret():
                self._see(secret=None)
            case SendCredentials(task_id=task_id, revision=revision):
                self._see(keepers={**self.observed.keepers, task_id: _well(task_id, revision, 1)})
            case FenceAgent():
                pass

    def _accept(self, action: AcceptOffers) -> None:
        self.agent = imagined.after(self.agent, action.operations)
        for operation in action.operations:
            if isinstance(operation, LaunchTask):
                task_id = operation.task_id
                self._see(
                    tasks={**self.observed.tasks, task_id: _status(task_id, TaskState.RUNNING)},
                    keepers={**self.observed.keepers, task_id: _well(task_id, "", 1)},
                )

    def _kill(self, task_id: TaskId) -> None:
        self._see(tasks={**self.observed.tasks, task_id: _status(task_id, TaskState.KILLED)})
        ended = [v for v in self.observed.volumes if v.task_id == task_id]
        for record in ended:
            self.agent = imagined.given_back(self.agent, record)

    def _see(self, **changes: object) -> None:
        see: Callable[..., Observed] = replace
        self.observed = see(self.observed, **changes)
