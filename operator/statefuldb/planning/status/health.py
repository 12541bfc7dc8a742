"""The conditions that are True where something is not as it should be, and those by which kstatus reads an object.

kstatus (the library behind Flux, `kubectl apply --prune` of kpt and others) takes `Stalled=True` as failed,
`Reconciling=True` as in progress, and goes by `Ready` only where neither is. Both are never True together.
"""

from statefuldb.model.conditions import Condition, ConditionType, Reason
from statefuldb.model.keeper import DATA_EXPECTED
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan, Waiting
from statefuldb.model.spec import DatabaseSpec, Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.ledger import damage, remembered

# What does not pass by itself: somebody must act.
NEEDS_A_PERSON = frozenset(
    {
        Reason.INVALID_SPEC,
        Reason.NOT_SUPPORTED_YET,
        Reason.FORBIDDEN_BY_PROFILE,
        Reason.MESOS_ERROR,
        Reason.FENCING_REQUIRED,
        Reason.APPROVAL_REQUIRED,
        Reason.APPROVAL_STALE,
        Reason.DELETION_PROTECTED,
        Reason.AMBIGUOUS_RETAINED_VOLUMES,
        Reason.DEFINITIONS_DELETED,
        Reason.KEEPER_REFUSED,
        Reason.DISK_FULL,
        Reason.RESERVATION_TAKEN,
        Reason.VOLUME_MISSING,
        Reason.VOLUME_LOST,
        Reason.LEDGER_ENTRY_DAMAGED,
        Reason.LEDGER_ENTRY_DUPLICATE,
        Reason.PLAN_VIOLATES_LAW,
    }
)
# What is wrong with a member, also where it still serves. Planned stops and first steps are not.
DEGRADES = frozenset(
    {
        Reason.AGENT_LOST,
        Reason.FENCING_REQUIRED,
        Reason.BACK_OFF,
        Reason.DISK_FULL,
        Reason.KEEPER_UNREACHABLE,
        Reason.KEEPER_REFUSED,
        Reason.RESERVATION_TAKEN,
        Reason.VOLUME_MISSING,
        Reason.VOLUME_LOST,
        Reason.LEDGER_ENTRY_DAMAGED,
        Reason.LEDGER_ENTRY_DUPLICATE,
    }
)
# What may have cost the only copy, or may yet.
_THREATENS_DATA = frozenset({Reason.AGENT_LOST, Reason.RESERVATION_TAKEN, Reason.VOLUME_MISSING, Reason.VOLUME_LOST})


def degraded(plan: Plan) -> Condition:
    """Return the condition Degraded."""
    return _abnormal(ConditionType.DEGRADED, _first(plan, DEGRADES), Reason.AS_EXPECTED, "nothing is wrong")


def data_at_risk(plan: Plan, spec: DatabaseSpec, observed: Observed) -> Condition:
    """Return the condition DataAtRisk. Data on a shared file system does not go with an agent."""
    uid = observed.database.uid if observed.database else ""
    held = [r for r in observed.volumes if r.owner_uid == uid and r.intent is Intent.USE and r.initialised]
    shared = spec.storage.strategy is Strategy.DFS
    threats = _THREATENS_DATA - {Reason.AGENT_LOST} if shared else _THREATENS_DATA
    missed = remembered.lost_ordinals(observed)
    fine = "nothing threatens the data" if held or missed or damage.unsure(observed) else "there is no data yet"
    wait = (_first(plan, threats) or _emptied(plan)) if held or missed else None
    return _abnormal(ConditionType.DATA_AT_RISK, wait, Reason.DATA_SAFE, fine)


def _emptied(plan: Plan) -> Waiting | None:
    """Return the wait of a member whose keeper found no data where a server had written."""
    refused = (wait for wait in plan.own_waiting if wait.reason is Reason.KEEPER_REFUSED)
    return next((wait for wait in refused if DATA_EXPECTED in wait.message), None)


def settling(
    accepted: Condition, ready: Condition | None, *, settled: bool, passes: bool = False
) -> tuple[Condition, Condition]:
    """Return Reconciling and Stalled.

    `settled` says that nothing is left to do for what is the target, `passes` that what keeps it will pass by itself.
    """
    stuck = accepted if accepted.status is False else ready
    needed = stuck is accepted or not passes
    if stuck is not None and stuck.status is False and stuck.reason in NEEDS_A_PERSON and needed:
        return (
            _fine(ConditionType.RECONCILING, stuck.reason, "somebody must act first, see Stalled"),
            Condition(type=ConditionType.STALLED, status=True, reason=stuck.reason, message=stuck.message),
        )
    moving = _fine(ConditionType.STALLED, Reason.AS_EXPECTED, "nobody has to act")
    if settled or ready is None:
        return _fine(ConditionType.RECONCILING, Reason.SETTLED, "nothing to do"), moving
    working = Condition(type=ConditionType.RECONCILING, status=True, reason=ready.reason, message=ready.message)
    return working, moving


def passes_by_itself(wait: Waiting | None) -> bool:
    """Say whether what else needs a person does not, this time: a fence command is about to be run."""
    return wait is not None and wait.reason is Reason.FENCING_REQUIRED and wait.look_again_seconds is not None


def _first(plan: Plan, reasons: frozenset[Reason]) -> Waiting | None:
    return next((wait for wait in plan.own_waiting if wait.reason in reasons), None)


def _abnormal(kind: ConditionType, wait: Waiting | None, fine: Reason, message: str) -> Condition:
    if wait is None:
        return _fine(kind, fine, message)
    return Condition(type=kind, status=True, reason=wait.reason, message=wait.message)


def _fine(kind: ConditionType, reason: Reason, message: str) -> Condition:
    return Condition(type=kind, status=False, reason=reason, message=message)
