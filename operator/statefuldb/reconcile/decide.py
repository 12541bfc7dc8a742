"""Deciding: from a snapshot to a plan that breaks no law. Pure, so that a recorded pass can be decided again."""

from collections.abc import Callable
from dataclasses import replace

from statefuldb.model.conditions import Condition, ConditionType, EventReason, Reason
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.plan import Announcement, Plan, Waiting
from statefuldb.model.settings import OperatorIdentity
from statefuldb.planning.desired import desired_of
from statefuldb.planning.invariants import Violation, violations
from statefuldb.planning.planner import plan
from statefuldb.planning.status.health import settling
from statefuldb.reconcile.mesos_port import Excerpt

BEST_FIRST = 16
BEST_GROWTH = 4


def decide(observed: Observed, offers: Offers, operator: OperatorIdentity) -> Plan:
    """Return what to do: the plan, or, where it would break a law, only the words that say so."""
    desired = desired_of(observed, operator.allowed_roots)
    decided = plan(desired, observed, offers, operator)
    broken = violations(decided, observed, operator.cluster)
    return refused(decided, broken) if broken else decided


def decide_among(
    observed: Observed, look: Callable[[int], Excerpt], operator: OperatorIdentity
) -> tuple[Plan, Excerpt]:
    """Return what to do, and the offers by which it was decided: a few, and more only where none of them fits.

    `look` returns the database's own offers and so many of the best others. They come in the order in which a place is
    chosen, so the first that fits among a few is the first that fits among all.
    """
    if not observed.mesos.connected:
        # Offers of a subscription that began meanwhile: together with what was seen before it they prove nothing.
        return decide(observed, (), operator), Excerpt(offers=(), whole=False, newest=0)
    # What has failed often is tried on one agent after the other, down to those with least free.
    best = max(BEST_FIRST, *(volume.failures for volume in observed.volumes), 0)
    while True:
        excerpt = look(best)
        decided = decide(observed, excerpt.offers, operator)
        if excerpt.whole or decided.demand is None or not decided.demand.anywhere:
            return decided, excerpt
        best *= BEST_GROWTH


def refused(decided: Plan, broken: tuple[Violation, ...]) -> Plan:
    """Return the plan without its actions, saying which laws they would have broken."""
    text = "; ".join(f"{violation.law}: {violation.message}" for violation in broken)
    wait = Waiting(
        ordinal=None,
        reason=Reason.PLAN_VIOLATES_LAW,
        message=text,
        fix="this is a defect in statefuldb: nothing was done; please report it with the journal",
    )
    event = Announcement(reason=EventReason.PLAN_REFUSED, message=text, warning=True)
    not_ready = Condition(type=ConditionType.READY, status=False, reason=Reason.PLAN_VIOLATES_LAW, message=text)
    said = (not_ready, *settling(not_ready, not_ready, settled=False))
    conditions = tuple(c for c in decided.conditions if c.type not in {s.type for s in said})
    return replace(
        decided,
        actions=(),
        waiting=(*decided.waiting, wait),
        announcements=(event,),
        conditions=(*conditions, *said),
    )
