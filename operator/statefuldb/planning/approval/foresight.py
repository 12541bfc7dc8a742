"""Foreseeing: the plan of each pass applied to an imagined world, until nothing is left to do.

What `statefuldb plan -f` shows before anything happens, and what is approved where approval is asked for. The imagined
Mesos has one agent that offers enough, every task starts, every keeper is well; so it says what would be done and in
which order, not whether the real cluster has room.
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
from statefuldb.model.observed import KeeperView, Observed, Offers, SecretView, TaskState, TaskStatus
from statefuldb.model.operations import LaunchTask
from statefuldb.model.plan import Plan, ProposedAction, Waiting
from statefuldb.model.resources import AgentOffer, DiskSource
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.spec import DatabaseSpec, ReconcileMode, ReconcileSpec, RiskClass
from statefuldb.planning.approval import imagined_agent
from statefuldb.planning.approval.proposals import changes_something, proposed
from statefuldb.planning.desired import Desired
from statefuldb.planning.ledger import rebuilding

PASSES_LIMIT = 50
SEEN = "seen"

Planner = Callable[[Desired, Observed, Offers, OperatorIdentity], Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """The actions that would be taken, in order, and what would still wait at the end."""

    actions: tuple[ProposedAction, ...] = ()
    waiting: tuple[Waiting, ...] = ()


def asks(risk: RiskClass, reconcile: ReconcileSpec) -> bool:
    """Say whether actions of this risk need approval."""
    return reconcile.mode is ReconcileMode.PLAN_ONLY or risk not in reconcile.auto_approve


def foresee(desired: Desired, observed: Observed, operator: OperatorIdentity, plan: Planner) -> Foresight:
    """Return what `plan` would call for, pass after pass, with everything approved."""
    spec = desired.spec
    if spec is None:
        return Foresight()
    free = replace(spec, reconcile=replace(spec.reconcile, mode=ReconcileMode.APPLY, auto_approve=frozenset(RiskClass)))
    assert desired.accepted is not None
    wanted = replace(desired, accepted=replace(desired.accepted, spec=free))
    world = ImaginedWorld(
        observed=_settled(observed, operator.cluster, free),
        agent=imagined_agent.agent(free, observed),
        disk=imagined_agent.source_of(free),
    )
    actions: list[ProposedAction] = []
    waiting: tuple[Waiting, ...] = ()
    for _ in range(PASSES_LIMIT):
        decided = plan(wanted, world.observed, (world.agent,), operator)
        waiting = decided.waiting
        if not decided.actions:
            break
        for action in decided.actions:
            if changes_something(action, world.observed.volumes):
                actions.append(proposed(action))
            world.carry_out(action)
    return Foresight(actions=tuple(actions), waiting=waiting)


def _settled(observed: Observed, cluster: str, spec: DatabaseSpec) -> Observed:
    """Return the snapshot as it will be: Mesos connected, what starts started, what stops stopped, no back-off left.

    Of what agents hold there is only what no entry tells of: that stays in the way until a person says what it is.
    """
    tasks, keepers = dict(observed.tasks), dict(observed.keepers)
    revision = observed.secret.revision if observed.secret is not None else ""
    for record in observed.volumes:
        if record.task_id is not None and not record.ended:
            known = tasks.setdefault(record.task_id, _status(record.task_id, TaskState.RUNNING))
            if known.state is TaskState.KILLING:
                tasks[record.task_id] = replace(known, state=TaskState.KILLED)
            elif known.state.alive:
                tasks[record.task_id] = replace(known, state=TaskState.RUNNING)
            keepers[record.task_id] = _started(record.task_id, keepers.get(record.task_id), revision, record.token)
    volumes = tuple(
        replace(imagined_agent.moved(record, spec), failures=0, giving_back=None) for record in observed.volumes
    )
    connected = replace(observed.mesos, connected=True)
    held = tuple(rebuilding.unwritten(observed, cluster).values())
    return replace(observed, tasks=tasks, keepers=keepers, volumes=volumes, mesos=connected, reserved=held)


def _started(task_id: TaskId, view: KeeperView | None, revision: str, token: int) -> KeeperView:
    """Return a keeper's view once it has started. One that waits for what does not pass by itself stays as it is."""
    status = view.status if view is not None else None
    if view is None or status is None:
        return _well(task_id, revision, token)
    if status.phase not in (KeeperPhase.CHECKING, KeeperPhase.BOOTSTRAPPING, KeeperPhase.STARTING):
        return view
    return _well(task_id, status.credentials_revision, status.token)


def _status(task_id: TaskId, state: TaskState) -> TaskStatus:
    return TaskStatus(id=task_id, state=state, agent_id=imagined_agent.AGENT_ID)


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


class ImaginedWorld:
    """The imagined world, changed by each action as the real one would be."""

    def __init__(self, *, observed: Observed, agent: AgentOffer, disk: DiskSource) -> None:
        self.observed = observed
        self.agent = agent
        self._disk = disk

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
        self.agent = imagined_agent.after(self.agent, action.operations)
        for operation in action.operations:
            if isinstance(operation, LaunchTask):
                task_id = operation.task_id
                state = TaskState.FINISHED if operation.keeper.mode == "Erase" else TaskState.RUNNING
                self._see(
                    tasks={**self.observed.tasks, task_id: _status(task_id, state)},
                    keepers={**self.observed.keepers, task_id: _well(task_id, "", 1)},
                )

    def _kill(self, task_id: TaskId) -> None:
        self._see(tasks={**self.observed.tasks, task_id: _status(task_id, TaskState.KILLED)})
        ended = [v for v in self.observed.volumes if v.task_id == task_id]
        for record in ended:
            self.agent = imagined_agent.given_back(self.agent, record, self._disk)

    def _see(self, **changes: object) -> None:
        see: Callable[..., Observed] = replace
        self.observed = see(self.observed, **changes)
