"""Announced maintenance: a planned stop before the window, no new member shortly before it, a return after it."""

from dataclasses import replace

from statefuldb.model.actions import KillTask
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.instant import instant
from statefuldb.model.observed import TaskStatus
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.resources import AgentOffer, Unavailability
from statefuldb.model.spec import RiskClass
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.context import Context, Step
from statefuldb.planning.members import missing_resources
from statefuldb.planning.storage.bundle import Refusal

STOP_BEFORE_SECONDS = 120.0
PLACE_BEFORE_SECONDS = 3600.0
LOOK_AGAIN_SECONDS = 60.0
DRAINING = "REASON_AGENT_DRAINING"


def stop_before(
    context: Context, record: VolumeRecord, status: TaskStatus, kept: Step, grace_seconds: int
) -> Step | None:
    """Return the planned stop of a running member whose agent is about to be away, or None while it may run.

    `kept` is the step that keeps it running while the stop waits for approval, at most until the window is over.
    """
    assert record.launch is not None
    window = context.observed.maintenance.get(record.launch.agent.id)
    if window is None or not _close(context, window, STOP_BEFORE_SECONDS):
        return None
    why = f"stop {record.member} before {_sentence(record.launch.agent.hostname, window)}"
    kill = KillTask(
        task_id=status.id, agent_id=status.agent_id, grace_seconds=grace_seconds, why=why, risk=RiskClass.RESTART
    )
    return Step(
        actions=(kill,),
        announcements=(Announcement(reason=EventReason.MEMBER_STOPPING, message=why),),
        meanwhile=kept,
        look_again_seconds=window.end_seconds - context.now if window.end_seconds is not None else None,
    )


def announced(context: Context, record: VolumeRecord, served: Step) -> Step:
    """Return the step of a running member with a word on the maintenance ahead, and a look at the time to stop."""
    assert record.launch is not None
    window = context.observed.maintenance.get(record.launch.agent.id)
    if window is None or _past(context, window):
        return served
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.MAINTENANCE,
        message=f"{_sentence(record.launch.agent.hostname, window)}; the member stops {STOP_BEFORE_SECONDS:g} s before",
        look_again_seconds=max(1.0, window.start_seconds - STOP_BEFORE_SECONDS - context.now),
    )
    return replace(served, waiting=(*served.waiting, wait))


def refusal(context: Context, record: VolumeRecord, offer: AgentOffer) -> Refusal | None:
    """Say why nothing is launched on an agent that is about to be away: what is bound to it, only shortly before."""
    window = offer.unavailability or context.observed.maintenance.get(offer.agent_id)
    if window is None or not _close(context, window, STOP_BEFORE_SECONDS if record.bound else PLACE_BEFORE_SECONDS):
        return None
    return Refusal(code="maintenance", message=_sentence(offer.hostname, window))


def away(context: Context, record: VolumeRecord, wait: Waiting) -> Waiting:
    """Return the wait of a member without an offer, which says so where maintenance is why."""
    if not record.bound or record.agent is None:
        return wait
    host = record.agent.hostname
    back = replace(wait, reason=Reason.MAINTENANCE, fix="nothing to do: the member returns by itself")
    for offer in context.offers:
        window = offer.unavailability or context.observed.maintenance.get(offer.agent_id)
        if offer.hostname == host and window is not None and refusal(context, record, offer) is not None:
            end = window.end_seconds
            look = LOOK_AGAIN_SECONDS if end is None else max(1.0, end - context.now)
            return replace(back, message=_sentence(host, window), look_again_seconds=look)
    drained = record.ending is not None and record.ending.reason == DRAINING and "maintenance" not in wait.refusals
    seen = missing_resources.sighting(context, record)
    # What the master says now counts for more: it may be reactivated since, or gone (`mark_gone`).
    if drained and (seen is None or host in seen.set_aside):
        return replace(
            back,
            message=f"{host} was drained: the member stopped cleanly and waits for the agent to be reactivated",
            fix=missing_resources.reactivation(host),
        )
    return wait


def _close(context: Context, window: Unavailability, notice_seconds: float) -> bool:
    return not _past(context, window) and context.now >= window.start_seconds - notice_seconds


def _past(context: Context, window: Unavailability) -> bool:
    end = window.end_seconds
    return end is not None and context.now >= end


def _sentence(host: str, window: Unavailability) -> str:
    until = f" to {instant(window.end_seconds)}" if window.end_seconds is not None else ", with no end given"
    return f"maintenance of {host} from {instant(window.start_seconds)}{until}"
