"""Launching one member: pick an agent, complete its bundle, record the attempt, then ACCEPT.

The record is an ordinary action before the ACCEPT, so a crash between the two leaves a launch that reconciliation
shows never to have happened; it can never leave a launch that nobody wrote down.
"""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.keeper import EXIT_CANNOT_LISTEN, KeeperConfig
from statefuldb.model.operations import LaunchTask
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.resources import AgentOffer
from statefuldb.model.volume import Launch, VolumeRecord
from statefuldb.model.volume_object import to_label
from statefuldb.planning import mesos_error
from statefuldb.planning.commands import see_output
from statefuldb.planning.context import Context, Step
from statefuldb.planning.engines import made_with
from statefuldb.planning.ledger import behind
from statefuldb.planning.members import back_off, resizing, volume_growth
from statefuldb.planning.members.placing import choose, reservation_of
from statefuldb.planning.members.surplus import leaves_surplus, left_elsewhere, withheld
from statefuldb.planning.members.template import restart_request, template_of
from statefuldb.planning.storage import strategy_of
from statefuldb.planning.storage.bundle import Claim
from statefuldb.planning.storage.directory import file_system

STOP_GRACE_SECONDS = 60
KEEPER_END_SECONDS = 5
BACK_OFF_LIMIT_SECONDS = 60.0


def launch(context: Context, record: VolumeRecord) -> Step:
    """Return the actions that launch a member whose last launch is over, or why it must wait."""
    ordinal = record.identity.ordinal
    record = behind.with_highest_incarnation(context, record)
    if not context.observed.mesos.connected:
        return Step(waiting=(mesos_error.disconnected(context.observed.mesos, ordinal),))
    if record.ending is not None and not _edited_since(context, record):
        ready_at = record.ending.at_seconds + back_off.seconds(record.failures, BACK_OFF_LIMIT_SECONDS)
        # An end in the future is of a clock that has been set back since: it is not waited for.
        if record.ending.at_seconds <= context.now < ready_at:
            return Step(waiting=(_backing_off(record, ready_at - context.now),))
    grown = volume_growth.while_stopped(context, record)
    if grown is not None:
        return grown
    found, short = choose(context, record), False
    if isinstance(found, Waiting) and (before := resizing.as_before(context, record)) is not None:
        left = resizing.patience_seconds(context, record)
        if left:
            return Step(waiting=(replace(found, look_again_seconds=left),))
        found, context, short = choose(before, record), before, True
    if isinstance(found, Waiting):
        return Step(waiting=(found,))
    offer, claim, attempt = found
    recorded = _recorded(context, record, attempt, offer, claim, short=short)
    what = _in_words(recorded, claim, offer.hostname)
    return Step(
        actions=(
            SaveVolume(volume=recorded, why=what),
            AcceptOffers(
                agent=offer.agent,
                offer_ids=offer.offer_ids,
                operations=(*claim.operations, _task(context, recorded, claim)),
                what=what,
                ordinal=ordinal,
            ),
        ),
        announcements=(Announcement(reason=EventReason.MEMBER_LAUNCHED, message=what),),
    )


def _recorded(
    context: Context, record: VolumeRecord, attempt: VolumeRecord, offer: AgentOffer, claim: Claim, *, short: bool
) -> VolumeRecord:
    """Return the entry as it is stored before the launch; `attempt` is `record` with a place on the offer's agent."""
    incarnation, restarted_at = attempt.incarnation + 1, restart_request(context, record.launch)
    return replace(
        volume_growth.launched(context, attempt, claim),
        agent=offer.agent,
        incarnation=incarnation,
        # What the keeper is told is also what a lost agent is cut off from, and where the data is removed from.
        dfs=file_system(context.spec, attempt),
        made_with=record.made_with if record.initialised else made_with(record.engine, context.spec.engine.config),
        fencing=None,
        ending=None,
        elsewhere=left_elsewhere(record, offer, claim),
        superseded=tuple(host for host in attempt.superseded if host != offer.hostname),
        giving_back=None,
        launch=Launch(
            incarnation=incarnation,
            agent=offer.agent,
            template=template_of(context.spec, restarted_at),
            cpus_milli=context.spec.resources.cpus_milli,
            memory_bytes=context.spec.resources.memory_bytes,
            port=claim.ports[0],
            keeper_port=claim.ports[1],
            leaves_surplus=leaves_surplus(record, offer, claim) or withheld(record, offer),
            short=short,
            restarted_at=restarted_at,
            framework_id=context.observed.mesos.framework_id or "",
            at_seconds=context.now,
        ),
        reservations=((*attempt.reservations, reservation_of(attempt)) if claim.reserves else attempt.reservations),
    )


def _task(context: Context, recorded: VolumeRecord, claim: Claim) -> LaunchTask:
    assert recorded.launch is not None
    assert recorded.task_id is not None
    return LaunchTask(
        task_id=recorded.task_id,
        name=recorded.member,
        agent_id=recorded.launch.agent.id,
        resources=claim.resources,
        keeper=keeper_config(context, recorded),
        grace_seconds=STOP_GRACE_SECONDS,
        ledger=to_label(recorded),
    )


def _in_words(recorded: VolumeRecord, claim: Claim, hostname: str) -> str:
    what = f"launch {recorded.member} (incarnation {recorded.incarnation}) on {hostname}"
    if claim.reserves:
        what = f"reserve and {what}"
    if claim.unowned:
        static = ", ".join(claim.unowned)
        what = f"{what}, with {static} of a static reservation, which nothing keeps for it while it is stopped"
    return what


def _edited_since(context: Context, record: VolumeRecord) -> bool:
    """Say whether something else is to be launched than what failed: it is tried at once, however often that did."""
    launched = record.launch
    if launched is None or launched.short:
        return False
    return launched.template != template_of(context.spec, restart_request(context, launched))


def keeper_config(context: Context, record: VolumeRecord, mode: str = "Serve") -> KeeperConfig:
    """Return what the keeper of the record's latest launch is told. All of it is public: Mesos shows it."""
    assert record.launch is not None
    spec, identity, launched = context.spec, record.identity, record.launch
    return KeeperConfig(
        mode=mode,
        cluster=identity.cluster,
        uid=identity.uid,
        namespace=record.key.namespace,
        name=record.key.name,
        ordinal=identity.ordinal,
        incarnation=launched.incarnation,
        task_id=str(record.task_id),
        engine=record.engine,
        version=record.engine_version,
        config=dict(spec.engine.config),
        memory_bytes=launched.memory_bytes,
        data=strategy_of(record.strategy).location(spec, record),
        bootstrap="None" if record.initialised else "Empty",
        minimum_token=record.token,
        listen_address=launched.agent.address,
        port=launched.port,
        keeper_port=launched.keeper_port,
        operator_ca_pem=context.operator.operator_ca_pem,
        # Less than the task is given: the keeper ends after its server.
        stop_grace_seconds=STOP_GRACE_SECONDS - KEEPER_END_SECONDS,
    )


def _backing_off(record: VolumeRecord, seconds: float) -> Waiting:
    assert record.ending is not None
    ended, refusal = record.ending, record.launch.refusal if record.launch is not None else ""
    last = f"the keeper refused: {refusal}" if refusal else f"{ended.state}: {ended.message or ended.reason}"
    fix = see_output(record.key)
    if record.launch is not None and ended.message.endswith(f"exited with status {EXIT_CANNOT_LISTEN}"):
        agent, port = record.launch.agent, record.launch.keeper_port
        last = f"the keeper could not listen on {agent.address}:{port}, which Mesos offered"
        fix = (
            f"see on {agent.hostname} who has that port, `ss -ltnp sport = :{port}`, and end it; `--resources` of the "
            "agent must offer no ports that others use"
        )
    return Waiting(
        ordinal=record.identity.ordinal,
        # It is tried again, but what was refused before will be, until somebody acts.
        reason=Reason.KEEPER_REFUSED if refusal else Reason.BACK_OFF,
        message=f"ended {record.failures} times in a row; last {last}",
        fix=fix,
        look_again_seconds=seconds,
    )
