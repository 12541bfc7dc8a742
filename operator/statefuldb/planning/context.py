"""What every planning step is given, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass

from statefuldb.model.actions import Action
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, Offers, TaskStatus
from statefuldb.model.plan import Announcement, MemberReport, Plan, Waiting
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.spec import DatabaseSpec
from statefuldb.model.volume import VolumeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One decision's inputs. `spec` is the accepted one."""

    spec: DatabaseSpec
    uid: str
    observed: Observed
    offers: Offers
    operator: OperatorIdentity

    @property
    def now(self) -> float:
        """The moment of the snapshot, in Unix seconds."""
        return self.observed.at_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one part of the plan calls for.

    `consented` says that its owner asked for exactly this, by name: it waits for no further approval.
    `meanwhile` is what is done while it does wait for approval.
    `look_again_seconds` says when something is due although nothing is waited for.
    """

    actions: tuple[Action, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    report: MemberReport | None = None
    consented: bool = False
    meanwhile: "Step | None" = None
    look_again_seconds: float | None = None


def report_of(
    record: VolumeRecord, phase: str, *, ready: bool = False, reason: str = "", message: str = ""
) -> MemberReport:
    """Return what is published of a member by its last launch attempt."""
    assert record.launch is not None
    return MemberReport(
        ordinal=record.identity.ordinal,
        phase=phase,
        ready=ready,
        task_id=str(record.task_id),
        incarnation=record.incarnation,
        agent=record.launch.agent.hostname,
        address=record.launch.agent.address,
        port=record.launch.port,
        restarts=record.restarts,
        reason=reason,
        message=message,
    )


def join(steps: list[Step]) -> Plan:
    """Return the steps as one plan, in their order."""
    waiting = tuple(wait for step in steps for wait in step.waiting)
    looks = [due for due in (s.look_again_seconds for s in steps) if due is not None]
    looks += [due for due in (w.look_again_seconds for w in waiting) if due is not None]
    return Plan(
        actions=tuple(action for step in steps for action in step.actions),
        waiting=waiting,
        announcements=tuple(text for step in steps for text in step.announcements),
        members=tuple(step.report for step in steps if step.report is not None),
        look_again_after_seconds=min(looks) if looks else None,
    )


def status_of(record: VolumeRecord, tasks: Mapping[TaskId, TaskStatus]) -> TaskStatus | None:
    """Return what Mesos last said of the record's latest launch."""
    task_id = record.task_id
    return tasks.get(task_id) if task_id is not None else None
