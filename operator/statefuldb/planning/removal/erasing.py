"""The task that empties the directory of a member whose data goes, where no volume takes it along.

Its keeper may refuse: the claim is held, something else lies below, a file system is away. It is tried again, for most
of that passes once somebody has acted; what the keeper said is told meanwhile, and never taken for done.
"""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.keeper import KeeperPhase
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import LaunchTask
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.resources import BYTES_PER_MIB, AgentOffer
from statefuldb.model.spec import ResourcesSpec, RiskClass
from statefuldb.model.volume import Launch, VolumeRecord
from statefuldb.model.volume_object import to_label
from statefuldb.planning.commands import see_output
from statefuldb.planning.context import Context, Step
from statefuldb.planning.ledger.behind import with_highest_incarnation
from statefuldb.planning.members import back_off, maintenance
from statefuldb.planning.members.launch import BACK_OFF_LIMIT_SECONDS, KEEPER_END_SECONDS, keeper_config
from statefuldb.planning.members.placing import in_order, needs_of
from statefuldb.planning.members.serving import noted_refusal
from statefuldb.planning.storage import strategy_of
from statefuldb.planning.storage.bundle import Claim

# What a keeper refused waits for a person as a rule, who looks again within minutes.
REFUSED_LIMIT_SECONDS = 300.0
ERASE_RESOURCES = ResourcesSpec(cpus_milli=100, memory_bytes=64 * BYTES_PER_MIB)


def erase(context: Context, record: VolumeRecord) -> Step:
    """Launch the task that empties the member's directory, on an agent that can reach it: where it failed, another."""
    record, failed = with_highest_incarnation(context, record), failure(record)
    if record.ending is not None and record.launch is not None and record.launch.erase:
        limit = REFUSED_LIMIT_SECONDS if record.launch.refusal else BACK_OFF_LIMIT_SECONDS
        ready_at = record.ending.at_seconds + max(1.0, back_off.seconds(record.failures, limit))
        # An end in the future is of a clock that has been set back since: it is not waited for.
        if record.ending.at_seconds <= context.now < ready_at:
            return Step(waiting=(replace(_failed(record), look_again_seconds=ready_at - context.now),))
    needs = needs_of(context, record)
    leaving: list[str] = []
    for offer in in_order(record, context.offers):
        if (refused := maintenance.refusal(context, record, offer)) is not None:
            leaving.append(refused.message)
            continue
        claim = strategy_of(record.strategy).claim(context.spec, record, needs, offer)
        if isinstance(claim, Claim):
            label = needs.labels.reservation if needs.labels is not None and claim.reserves else None
            return _launch(context, _recorded(context, record, offer, claim, label), offer, claim)
    waited_for = "; ".join((f"waiting for an agent on which {record.directory} can be removed", *leaving[:3]))
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.RELEASING,
        message=_told(waited_for, failed),
        fix=remedy(record) if failed else "",
        wants_offers=True,
    )
    return Step(waiting=(wait,))


def _recorded(
    context: Context, record: VolumeRecord, offer: AgentOffer, claim: Claim, reservation: str | None
) -> VolumeRecord:
    """Return the entry as it is stored before the task is launched; `reservation` is what that reserves, if it does."""
    before, incarnation = record.launch, record.incarnation + 1
    there_before = before is not None and before.erase and before.agent.hostname == offer.hostname
    return replace(
        record,
        incarnation=incarnation,
        ending=None,
        reservations=(*record.reservations, reservation) if reservation is not None else record.reservations,
        launch=Launch(
            incarnation=incarnation,
            agent=offer.agent,
            template="erase",
            cpus_milli=ERASE_RESOURCES.cpus_milli,
            memory_bytes=ERASE_RESOURCES.memory_bytes,
            port=claim.ports[0],
            keeper_port=claim.ports[1],
            erase=True,
            # It stands until another keeper says otherwise, and says nothing of another agent.
            refusal=before.refusal if before is not None and there_before else "",
            framework_id=context.observed.mesos.framework_id or "",
            at_seconds=context.now,
        ),
    )


def _launch(context: Context, recorded: VolumeRecord, offer: AgentOffer, claim: Claim) -> Step:
    assert recorded.task_id is not None
    what = f"remove {recorded.directory} on {offer.hostname}"
    task = LaunchTask(
        task_id=recorded.task_id,
        name=f"{recorded.member}-erase",
        agent_id=offer.agent_id,
        resources=claim.resources,
        keeper=keeper_config(context, recorded, mode="Erase"),
        grace_seconds=KEEPER_END_SECONDS,
        ledger=to_label(recorded),
    )
    return Step(
        actions=(
            SaveVolume(volume=recorded, why=what),
            AcceptOffers(
                agent=offer.agent,
                offer_ids=offer.offer_ids,
                operations=(*claim.operations, task),
                what=what,
                ordinal=recorded.identity.ordinal,
                risk=RiskClass.DESTRUCTIVE,
            ),
        )
    )


def under_way(context: Context, record: VolumeRecord) -> Step:
    """Return the step of an entry whose directory is being emptied: its task is waited for, and heard."""
    assert record.launch is not None
    assert record.task_id is not None
    view = context.observed.keepers.get(record.task_id)
    status = view.status if view is not None else None
    if status is None or status.phase is not KeeperPhase.REFUSED:
        said = f": {status.reason}" if status is not None and status.reason else ""
        doing = f"{record.directory} is being emptied on {record.launch.agent.hostname}{said}"
        wait = Waiting(ordinal=record.identity.ordinal, reason=Reason.RELEASING, message=_told(doing, failure(record)))
        return Step(waiting=(wait,))
    noted = noted_refusal(record, status)
    if noted is None:
        return Step(waiting=(_failed(record),))
    if noted.volume.task_id != record.task_id:
        # Another launch is followed: whether it is over is asked first.
        doubt = replace(_failed(record), message=status.reason)
        return Step(actions=(noted,), waiting=(doubt,))
    wait = _failed(noted.volume)
    told = Announcement(
        reason=EventReason.WAITING,
        message=f"{wait.reason}: {wait.message}; {wait.fix}",
        warning=True,
        about_uid=record.owner_uid,
    )
    return Step(actions=(noted,), waiting=(wait,), announcements=(told,))


def failure(record: VolumeRecord) -> str:
    """Return what is known of attempts to empty a member's directory that failed, empty where none did."""
    launched, ended = record.launch, record.ending
    if launched is None or not launched.erase:
        return ""
    if launched.refusal:
        return f"removing {record.directory} on {launched.agent.hostname} is refused by its keeper: {launched.refusal}"
    if ended is None or ended.state == TaskState.FINISHED:
        return ""
    return f"removing {record.directory} failed ({ended.message or ended.reason or ended.state})"


def remedy(record: VolumeRecord) -> str:
    """Return what a person does about an attempt that failed."""
    if record.launch is None or not record.launch.refusal:
        return see_output(record.key)
    return f"put right what it names; it is tried again at least every {REFUSED_LIMIT_SECONDS:g} s"


def _told(what: str, failed: str) -> str:
    """Return what is done or waited for now, and what is known of the attempts before."""
    return f"{what}; {failed}" if failed else what


def _failed(record: VolumeRecord) -> Waiting:
    return Waiting(
        ordinal=record.identity.ordinal, reason=Reason.RELEASING, message=failure(record), fix=remedy(record)
    )
