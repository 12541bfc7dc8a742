"""The conditions of one database, and the report of every member, as they follow from a plan.

`Ready` is True only where every wanted member was seen to answer SQL at the present target (law `ready_is_true`): also
where none is wanted and none runs, so that a stopped database reads as done, as a Deployment with no replicas does.
`Available` says whether any member answers.
"""

from statefuldb.model.conditions import Condition, ConditionType, Reason
from statefuldb.model.observed import Observed
from statefuldb.model.plan import MemberReport, Plan, Waiting
from statefuldb.model.spec import DatabaseSpec, DesiredState, ReconcileMode
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning import mesos_error
from statefuldb.planning.context import report_of, status_of
from statefuldb.planning.desired import Desired
from statefuldb.planning.status import health
from statefuldb.planning.status.busy import is_busy

_UNTOLD = frozenset({Reason.LEDGER_ENTRY_DAMAGED, Reason.LEDGER_ENTRY_DUPLICATE})
_REFUSALS = frozenset({Reason.NOT_SUPPORTED_YET, Reason.FORBIDDEN_BY_PROFILE})


def with_absent(plan: Plan, desired: Desired, observed: Observed) -> tuple[MemberReport, ...]:
    """Return the reports of all wanted and existing members: the ready ones, and for each other what it waits for."""
    uid = observed.database.uid if observed.database else ""
    reports = {report.ordinal: report for report in plan.members}
    records = {r.identity.ordinal: r for r in observed.volumes if r.owner_uid == uid and r.intent is Intent.USE}
    wanted = range(desired.spec.replicas) if desired.spec else range(0)
    # The first wait of a member is what keeps it.
    waits = {wait.ordinal: wait for wait in reversed(plan.own_waiting) if wait.ordinal is not None}
    for ordinal in sorted({*wanted, *records}):
        if ordinal not in reports:
            reports[ordinal] = _report(ordinal, records.get(ordinal), waits.get(ordinal), observed)
    return tuple(reports[ordinal] for ordinal in sorted(reports))


def decide(plan: Plan, desired: Desired, observed: Observed) -> tuple[Condition, ...]:
    """Return every condition of a database that is not being deleted."""
    accepted = _accepted(desired)
    spec = desired.spec
    if spec is None:
        waits = Condition(
            type=ConditionType.READY,
            status=False,
            reason=accepted.reason,
            message="no valid spec was accepted yet",
        )
        return (accepted, waits, *health.settling(accepted, None, settled=True), mesos_error.condition(observed.mesos))
    wanted = 0 if spec.state is DesiredState.STOPPED else spec.replicas
    serving = [report for report in plan.members if report.ready]
    blocking = _blocking(plan)
    if blocking is not None and blocking.reason not in health.NEEDS_A_PERSON:
        # Whatever else would pass by itself does not, once Mesos has ended the subscription.
        blocking = mesos_error.waiting(observed.mesos) or blocking
    ready = _ready(spec, wanted, len(serving), blocking, busy=is_busy(plan, observed))
    settled = ready.status is True or ready.reason is Reason.PAUSED
    return (
        accepted,
        _placed(plan, wanted),
        _storage(plan, observed, wanted),
        Condition(
            type=ConditionType.AVAILABLE,
            status=bool(serving),
            reason=Reason.ALL_MEMBERS_READY if serving else ready.reason,
            message=f"{len(serving)} of {wanted} members answer SQL",
        ),
        ready,
        _progressing(ready, settled=settled),
        *health.settling(accepted, ready, settled=settled, passes=health.passes_by_itself(blocking)),
        health.degraded(plan),
        health.data_at_risk(plan, spec, observed),
        mesos_error.condition(observed.mesos),
    )


def _accepted(desired: Desired) -> Condition:
    if not desired.errors:
        generation = desired.accepted.generation if desired.accepted else 0
        return Condition(
            type=ConditionType.ACCEPTED,
            status=True,
            reason=Reason.VALID,
            message=f"generation {generation} is the target",
        )
    reasons = {error.reason for error in desired.errors}
    (only,) = reasons if len(reasons) == 1 else ("",)
    kept = f"; generation {desired.accepted.generation} stays the target" if desired.accepted else ""
    return Condition(
        type=ConditionType.ACCEPTED,
        status=False,
        reason=Reason(only) if only in _REFUSALS else Reason.INVALID_SPEC,
        message="; ".join(str(error) for error in desired.errors) + kept,
    )


def _blocking(plan: Plan) -> Waiting | None:
    """Return the first wait that keeps a member from being ready, or from being as it is wanted."""
    ready = {report.ordinal for report in plan.members if report.ready}
    for wait in plan.own_waiting:
        if wait.ordinal is None or wait.ordinal not in ready or wait.short_of_target:
            return wait
    return None


def _ready(spec: DatabaseSpec, wanted: int, serving: int, blocking: Waiting | None, *, busy: bool) -> Condition:
    if spec.reconcile.mode is ReconcileMode.PAUSED:
        return _not_ready(Reason.PAUSED, "spec.reconcile.mode is Paused: nothing is looked after")
    if blocking is not None:
        return _not_ready(blocking.reason, blocking.message)
    if busy or serving < wanted:
        return _not_ready(Reason.RECONCILING, f"{serving} of {wanted} members are ready")
    stopped = wanted == 0
    return Condition(
        type=ConditionType.READY,
        status=True,
        reason=Reason.STOPPED_AS_ASKED if stopped else Reason.ALL_MEMBERS_READY,
        message="stopped as asked; the data is kept" if stopped else f"{serving} of {wanted} members answer SQL",
    )


def _not_ready(reason: Reason, message: str) -> Condition:
    return Condition(type=ConditionType.READY, status=False, reason=reason, message=message)


def _progressing(ready: Condition, *, settled: bool) -> Condition:
    return Condition(
        type=ConditionType.PROGRESSING,
        status=not settled,
        reason=Reason.SETTLED if settled else ready.reason,
        message="nothing to do" if settled else ready.message,
    )


def _placed(plan: Plan, wanted: int) -> Condition:
    placed = [report for report in plan.members if report.agent]
    done = len(placed) >= wanted
    waits = [w for w in plan.waiting if w.reason is Reason.NO_SUITABLE_OFFER]
    return Condition(
        type=ConditionType.PLACED,
        status=done,
        reason=Reason.BOUND if done else (waits[0].reason if waits else Reason.NOT_BOUND),
        message=", ".join(f"{r.ordinal} on {r.agent}" for r in placed)
        or (waits[0].message if waits else "no agent chosen yet"),
    )


def _storage(plan: Plan, observed: Observed, wanted: int) -> Condition:
    uid = observed.database.uid if observed.database else ""
    untold = next((wait for wait in plan.waiting if wait.reason in _UNTOLD), None)
    away = next((wait for wait in plan.own_waiting if wait.reason in (Reason.VOLUME_MISSING, Reason.VOLUME_LOST)), None)
    bound = [r for r in observed.volumes if r.owner_uid == uid and r.intent is Intent.USE and r.initialised]
    done = len(bound) >= wanted
    problem = away or (untold if not done else None)
    if problem is not None:
        return Condition(type=ConditionType.STORAGE_READY, status=False, reason=problem.reason, message=problem.message)
    return Condition(
        type=ConditionType.STORAGE_READY,
        status=done,
        reason=Reason.BOUND if done else Reason.NOT_BOUND,
        message=", ".join(r.name for r in bound) or "no data directory initialised yet",
    )


def _report(ordinal: int, record: VolumeRecord | None, wait: Waiting | None, observed: Observed) -> MemberReport:
    reason = str(wait.reason) if wait else ""
    message = wait.message if wait else ""
    if record is None or record.launch is None:
        phase = "Unknown" if reason in _UNTOLD else "Pending"
        return MemberReport(ordinal=ordinal, phase=phase, ready=False, reason=reason, message=message)
    status = status_of(record, observed.tasks)
    if record.ended:
        phase = "Stopped"
    elif status is None:
        phase = "Launching"
    elif status.state.alive:
        phase = "Starting"
    else:
        phase = "Lost"
    return report_of(record, phase, reason=reason, message=message)
