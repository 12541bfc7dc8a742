"""The Events that tell how a database comes to be Ready, or what keeps it: sent where something is new, not each pass.

What was said before is read from the published status, so that a restarted operator does not tell it all again.
"""

from collections.abc import Iterator, Mapping

from statefuldb.model.conditions import ConditionType, EventReason, Reason
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Announcement, Plan, Waiting
from statefuldb.planning import mesos_error
from statefuldb.planning.desired import Desired
from statefuldb.planning.published import CONDITION_LIMIT, TEXT_LIMIT, published, published_waits
from statefuldb.planning.status.health import DEGRADES, NEEDS_A_PERSON
from statefuldb.planning.status.steady_waits import FOR_OFFERS

# Steps that follow each other within seconds are told by what is done; approval has an Event of its own; and what
# concerns Mesos or our definitions concerns every database, so one Event for each of them would be a flood; nor can an
# Event be stored in a namespace that is being deleted.
_NOT_TOLD = frozenset(
    {
        Reason.RECONCILING,
        Reason.LAUNCHING,
        Reason.STARTING_ENGINE,
        Reason.SETTING_CREDENTIALS,
        Reason.STOPPING,
        Reason.RELEASING,
        Reason.AWAITING_RECONCILIATION,
        Reason.APPROVAL_REQUIRED,
        Reason.APPROVAL_STALE,
        Reason.MESOS_DISCONNECTED,
        Reason.MESOS_ERROR,
        Reason.DEFINITIONS_DELETED,
        Reason.NAMESPACE_TERMINATING,
    }
)


def announcements(plan: Plan, desired: Desired, observed: Observed) -> Iterator[Announcement]:
    """Yield what to tell beside what is done. `plan` has its conditions."""
    yield from mesos_error.announcements(observed.mesos)
    if desired.errors:
        text = "; ".join(str(error) for error in desired.errors)
        yield Announcement(reason=EventReason.REJECTED, message=text[:CONDITION_LIMIT], warning=True)
    elif desired.is_new and desired.accepted is not None:
        text = f"generation {desired.accepted.generation} accepted"
        yield Announcement(reason=EventReason.ACCEPTED, message=text)
    yield from _news(plan, observed.database.status if observed.database else {})


def _news(plan: Plan, status: Mapping[str, object]) -> Iterator[Announcement]:
    """Yield what is new against the status that was published last."""
    said = published(status, "plan", "waiting")
    messages = {entry.get("message") for entry in said}
    # What was told of other data is no word on the database's own.
    beside = {_as_published(wait) for wait in plan.waiting if wait.winding_up}
    own = (entry for entry in said if entry.get("message") not in beside)
    told = {(entry.get("member"), entry.get("reason")): bool(entry.get("refusals")) for entry in own}
    for wait in published_waits(plan.waiting):
        known = _as_published(wait) in messages if wait.winding_up else _was_told(wait, told)
        if _is_worth_telling(wait) and not known:
            text = f"{wait.reason}: {wait.message}" + (f"; {wait.fix}" if wait.fix else "")
            serious = wait.reason in NEEDS_A_PERSON | DEGRADES and not wait.winding_up
            yield Announcement(reason=EventReason.WAITING, message=text, warning=serious)
    before = {entry.get("type"): entry.get("status") for entry in published(status, "conditions")}
    ready = next((c for c in plan.conditions if c.type is ConditionType.READY), None)
    if ready is not None and ready.status is True and before.get("Ready") != "True":
        yield Announcement(reason=EventReason.READY, message=ready.message)


def _as_published(wait: Waiting) -> str:
    return wait.message[:TEXT_LIMIT]


def _is_worth_telling(wait: Waiting) -> bool:
    """Say whether people want to know. An offer that nobody has looked at yet is no news."""
    return wait.reason not in _NOT_TOLD and (wait.reason not in FOR_OFFERS or bool(wait.refusals))


def _was_told(wait: Waiting, told: Mapping[tuple[object, object], bool]) -> bool:
    refusals = told.get((wait.ordinal, str(wait.reason)))
    return refusals is not None and (refusals or wait.reason not in FOR_OFFERS)
