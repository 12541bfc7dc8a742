"""A database whose plans wait for approval, over many passes."""

from dataclasses import replace

from statefuldb.model.actions import Action
from statefuldb.model.observed import Observed, Offers, TaskState
from statefuldb.model.plan import Accepted, Plan
from statefuldb.model.resources import DiskSource
from statefuldb.model.spec import DatabaseSpec, ReconcileMode, ReconcileSpec, Strategy
from statefuldb.model.volume import Launch, VolumeRecord
from statefuldb.planning.approval.foresight import ImaginedWorld
from statefuldb.planning.approval.imagined_agent import agent, given_back
from statefuldb.planning.approval.proposals import changes_something, key_of
from statefuldb.planning.desired import Desired
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.world import MIB, OPERATOR, database, observed, spec, tasks

PLAN_ONLY = ReconcileSpec(mode=ReconcileMode.PLAN_ONLY)


class Life:
    """A database over many passes: what is published is read back, what is decided takes place."""

    def __init__(self, wanted: DatabaseSpec) -> None:
        self.spec = wanted
        self.generation = 1
        real = replace(agent(wanted, observed()), agent_id="real", hostname="agent-1", address="127.0.0.9")
        self.world = ImaginedWorld(observed=observed(database=database()), agent=real, disk=DiskSource())
        self.done: list[str] = []
        self.accepted: Accepted | None = None

    @property
    def seen(self) -> Observed:
        return self.world.observed

    @property
    def hash(self) -> str:
        assert self.seen.database is not None
        published = self.seen.database.status["plan"]
        assert isinstance(published, dict)
        return str(published.get("hash", ""))

    def edit(self, **changes: object) -> None:
        self.spec, self.generation = replace(self.spec, **changes), self.generation + 1  # type: ignore[arg-type]

    def approve(self, plan_hash: str) -> None:
        self.edit(reconcile=replace(self.spec.reconcile, approved_plan=plan_hash))

    def decide(self, offers: Offers | None = None) -> Plan:
        """Make one pass without its effects; what it publishes is read by the next."""
        accepted = Accepted(generation=self.generation, spec=self.spec)
        wanted = Desired(accepted=accepted, is_new=accepted != self.accepted)
        self.accepted = accepted
        assert self.seen.database is not None
        self.world.observed = replace(self.seen, database=replace(self.seen.database, generation=self.generation))
        decided = plan(wanted, self.seen, (self.world.agent,) if offers is None else offers, OPERATOR)
        published = status_of_plan(self.seen, decided)
        self.world.observed = replace(self.seen, database=replace(self.seen.database, status=published))
        return decided

    def run(self) -> Plan:
        """Make passes with their effects until one has none; return it."""
        for _ in range(30):
            decided = self.decide()
            if not decided.actions:
                return decided
            for action in decided.actions:
                self.carry_out(action)
        raise AssertionError("no rest after 30 passes")

    @staticmethod
    def smaller(record: VolumeRecord) -> Launch:
        """Return a launch of the record that used less, on other ports."""
        assert record.launch is not None
        return replace(record.launch, cpus_milli=10, memory_bytes=MIB, port=1, keeper_port=2)

    def carry_out(self, action: Action) -> None:
        if changes_something(action, self.seen.volumes):
            self.done.append(key_of(action))
        self.world.carry_out(action)


def planned(life: Life) -> list[str]:
    approval = life.decide().approval
    assert approval is not None
    return [action.key for action in approval.actions]


def fail(life: Life, state: TaskState = TaskState.FAILED) -> None:
    """End the member by itself; its agent offers again what it holds."""
    (record,) = life.seen.volumes
    life.world.observed = replace(life.seen, tasks=tasks(record, state))
    life.world.agent = given_back(life.world.agent, record, DiskSource())


def served(strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> Life:
    """A database that came to run by an approval, which its spec still names."""
    life = Life(spec(strategy, reconcile=PLAN_ONLY))
    life.run()
    life.approve(life.hash)
    assert not life.run().waiting
    life.done.clear()
    return life
