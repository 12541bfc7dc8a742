"""Members that never served as far as the ledger knows: where they may have served all the same.

That a server is there is written down before anybody is told of it. But a ledger can be restored from a backup of the
moments before, and then what it says is over, or never came to hold data, may hold what was written for months. Mesos
lists what attempts have left, and which attempt it was: such a member goes on where the last one was, and nothing is
begun elsewhere. Where that one never served, nothing is lost by it.
"""

from collections.abc import Mapping
from dataclasses import replace

from statefuldb.model.conditions import Reason
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import Observed, Offers, TaskState, TaskStatus
from statefuldb.model.plan import Waiting
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.commands import CHECK_MASTER
from statefuldb.planning.context import status_of
from statefuldb.planning.storage.holding import is_ours, made_for

LOOK_AGAIN_SECONDS = 5.0


def doubted(record: VolumeRecord, tasks: Mapping[TaskId, TaskStatus]) -> bool:
    """Whether it is looked up what a member's attempts have left. On a DFS the directory itself tells whose it is."""
    status = status_of(record, tasks)
    over = record.ended or (status is not None and not status.state.alive)
    begun = record.intent is Intent.USE and record.launch is not None and not record.initialised
    return begun and over and record.strategy is not Strategy.DFS


def last_number(observed: Observed, record: VolumeRecord) -> int:
    """Return the highest number of an attempt of which agents hold something, 0 where they hold nothing."""
    return max(_left(observed, record).values(), default=0)


def offers_for(observed: Observed, record: VolumeRecord, offers: Offers) -> Offers | Waiting:
    """Return those of `offers` on which a member may be launched: all, or where a doubted one's last attempt was.

    A wait, where the master does not say what attempts have left.
    """
    if observed.reserved is None and doubted(record, observed.tasks):
        return Waiting(
            ordinal=record.identity.ordinal,
            reason=Reason.AWAITING_RECONCILIATION,
            message=f"the master does not say what earlier attempts of {record.member} have left",
            fix=CHECK_MASTER,
            look_again_seconds=LOOK_AGAIN_SECONDS,
        )
    only = _served_by(observed, record)
    return offers if only is None else tuple(offer for offer in offers if offer.agent_id == only)


def explained(observed: Observed, record: VolumeRecord, wait: Waiting) -> Waiting:
    """Return the wait for an offer with the reason why only one agent will do, where that is so."""
    only = _served_by(observed, record)
    if only is None:
        return wait
    host = next(held.hostname for held in observed.reserved or () if held.agent_id == only)
    why = f"an attempt of {record.member} on {host} may have served"
    begin = "if you know that nobody ever wrote to it, delete the database and its data, and apply it again"
    return replace(wait, message=f"{wait.message}; {why}", fix=f"{wait.fix}; or, {begin}", hosts=(host,))


def _served_by(observed: Observed, record: VolumeRecord) -> str | None:
    """Return the id of the agent that may hold data of a doubted member, None where there is none.

    What a later attempt than the entry knows has left is there, or what the last one has left, if its end went unheard.
    """
    if not doubted(record, observed.tasks):
        return None
    known = max((stored.incarnation for stored in observed.volumes if stored.name == record.name), default=0)
    unheard = record.ending is not None and record.ending.state is TaskState.GONE
    own = record.launch.agent.id if record.launch is not None and unheard else None
    left = _left(observed, record)
    served = {agent_id: number for agent_id, number in left.items() if number > known or agent_id == own}
    return max(served, key=lambda agent_id: (served[agent_id], agent_id), default=None)


def _left(observed: Observed, record: VolumeRecord) -> dict[str, int]:
    """Return the agents that hold something of a member's, each with the number of the last attempt that it is of."""
    left: dict[str, int] = {}
    for offer in observed.reserved or ():
        for resource in (r for r in offer.resources if is_ours(r, record.identity)):
            volume = made_for(resource)
            attempt = TaskId.parse(resource.labels.reservation) if resource.labels is not None else None
            numbers = (volume.sequence if volume else 0, attempt.incarnation if attempt else 0)
            left[offer.agent_id] = max(left.get(offer.agent_id, 0), *numbers)
    return left
