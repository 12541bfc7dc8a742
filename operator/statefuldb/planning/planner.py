"""plan(): what to do next about one database. It reads as a table of contents of the operator.

Pure: the same inputs give the same plan. It sends nothing, reads no clock and chooses nothing at random.
"""

from dataclasses import replace

from statefuldb.model.actions import AddFinalizer, SaveVolume
from statefuldb.model.identity import FINALIZER
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.plan import Plan
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.spec import DatabaseSpec, DesiredState, ReconcileMode
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.approval import foresight
from statefuldb.planning.approval.holding_back import hold_back
from statefuldb.planning.context import Context, Step, join
from statefuldb.planning.desired import Desired
from statefuldb.planning.ledger import damage, ownership, rebuilding
from statefuldb.planning.members import failed_operations, lifecycle
from statefuldb.planning.removal import teardown
from statefuldb.planning.status import conditions, events
from statefuldb.planning.status.steady_waits import steadied
from statefuldb.planning.terminating import ending


def plan(desired: Desired | None, observed: Observed, offers: Offers, operator: OperatorIdentity) -> Plan:
    """Decide the next steps that bring `observed` closer to `desired` (None: there is no such database)."""
    if (others := ownership.of_others(observed, operator.cluster)) is not None:
        return Plan(announcements=(others,))
    for corrected in (rebuilding.rebuild(observed, offers, operator), teardown.disown(observed)):
        if corrected.actions:
            # Nothing else is decided on a ledger that is known to be incomplete or out of date.
            return replace(join([corrected]), accepted=desired.accepted if desired else None)
    unused = {
        r.name: teardown.wind_up(_context(teardown.spec_of(r), r.owner_uid, observed, offers, operator), r)
        for r in observed.volumes
        if r.intent is not Intent.USE
    }
    steps, database = list(unused.values()), observed.database
    if database is None or desired is None:
        return damage.with_waits(join(steps), observed)
    if database.deleting:
        return join([teardown.let_go(database, desired, observed), *steps])
    if FINALIZER not in database.finalizers:
        return replace(join([Step(actions=(AddFinalizer(key=database.key),))]), accepted=desired.accepted)
    spec = desired.spec
    if spec is None:
        return _conclude(join(steps), desired, observed)
    context = _context(spec, database.uid, observed, offers, operator)
    paused = spec.reconcile.mode is ReconcileMode.PAUSED
    if not paused and (ends := ending(observed)) is not None:
        steps.append(Step(waiting=(ends,)))
    elif not paused:
        wanted = [_member(context, ordinal) for ordinal in ownership.ordinals(context)]
        taken_up = {action.volume.name for step in wanted for action in step.actions if isinstance(action, SaveVolume)}
        steps = [*(step for name, step in unused.items() if name not in taken_up), *wanted]
    decided = hold_back(steps, desired, observed, lambda asked: foresight.foresee(desired, asked, operator, plan))
    return _conclude(decided, desired, observed)


def _member(context: Context, ordinal: int) -> Step:
    """Decide about one ordinal: run it, or stop it with its data kept."""
    record = ownership.owned(context, ordinal)
    wanted = ordinal < context.spec.replicas and context.spec.state is not DesiredState.STOPPED
    if not wanted:
        return lifecycle.stop_unwanted(context, record) if record is not None else ownership.missed(context, ordinal)
    found = record or ownership.take_up(context, ordinal)
    if not isinstance(found, VolumeRecord):
        return found
    return failed_operations.explained(context, ordinal, found.identity.uid, lifecycle.run(context, found))


def _context(spec: DatabaseSpec, uid: str, observed: Observed, offers: Offers, operator: OperatorIdentity) -> Context:
    return Context(spec=spec, uid=uid, observed=observed, offers=offers, operator=operator)


def _conclude(decided: Plan, desired: Desired, observed: Observed) -> Plan:
    """Add what is published: whether the spec was accepted, and the conditions."""
    decided = damage.with_waits(steadied(decided, observed), observed)
    whole = replace(decided, accepted=desired.accepted, members=conditions.with_absent(decided, desired, observed))
    whole = replace(whole, conditions=conditions.decide(whole, desired, observed))
    return replace(whole, announcements=(*decided.announcements, *events.announcements(whole, desired, observed)))
