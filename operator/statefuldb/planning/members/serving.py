"""A member whose task runs: what its keeper says, the account it must have, and when it counts as ready."""

from dataclasses import replace

from statefuldb.model.actions import Action, EnsureSecret, SaveVolume, SendCredentials
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.identity import connection_secret_name
from statefuldb.model.keeper import DISK_FULL_BELOW_BYTES, KeeperPhase, KeeperStatus
from statefuldb.model.observed import SecretView
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.model.resources import BYTES_PER_MIB
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumePhase, VolumeRecord, kept
from statefuldb.planning import mesos_error
from statefuldb.planning.commands import see_output
from statefuldb.planning.context import Context, Step, report_of
from statefuldb.planning.engines import engine_of
from statefuldb.planning.ledger import behind

HEALTHY_AFTER_SECONDS = 60.0
START_PATIENCE_SECONDS = 10.0
LISTEN_AGAIN_SECONDS = 30.0
# Its agent's files, where its output is, are found by the master too.
_UNTOLD = "; whether its task runs is not told either, since Mesos is not connected"

_WAITS = {
    KeeperPhase.WAITING_FOR_CLAIM: Reason.WAITING_FOR_CLAIM,
    KeeperPhase.DISK_FULL: Reason.DISK_FULL,
    KeeperPhase.REFUSED: Reason.KEEPER_REFUSED,
}


def serve(context: Context, record: VolumeRecord) -> Step:
    """Return the next step of a member whose task runs."""
    ordinal = record.identity.ordinal
    assert record.task_id is not None
    assert record.launch is not None
    view = context.observed.keepers.get(record.task_id)
    if view is None or view.status is None:
        connected = context.observed.mesos.connected
        # A launch in the future is of a clock that has been set back since: that long is not waited for.
        young = 0 <= context.now - record.launch.at_seconds < START_PATIENCE_SECONDS
        if view is None or young:
            wait = Waiting(
                ordinal=ordinal,
                reason=Reason.STARTING_ENGINE,
                message=f"the keeper is starting on {record.launch.agent.hostname}",
                look_again_seconds=START_PATIENCE_SECONDS,
            )
        else:
            wait = Waiting(
                ordinal=ordinal,
                reason=Reason.KEEPER_UNREACHABLE,
                message=f"no answer from the keeper: {view.error}{'' if connected else _UNTOLD}",
                fix=see_output(record.key) if connected else mesos_error.remedy(context.observed.mesos),
                look_again_seconds=LISTEN_AGAIN_SECONDS,
            )
        return Step(waiting=(wait,))
    status = view.status
    if status.phase in _WAITS:
        reason = _WAITS[status.phase]
        noted = noted_refusal(record, status) if status.phase is KeeperPhase.REFUSED else None
        return Step(
            actions=(noted,) if noted is not None else (),
            waiting=(Waiting(ordinal=ordinal, reason=reason, message=status.reason, fix=_remedy(reason, record)),),
        )
    if not (status.engine.ready and status.engine.answers_sql):
        wait = Waiting(
            ordinal=ordinal,
            reason=Reason.STARTING_ENGINE,
            message=status.reason or f"the engine is {status.phase}",
        )
        return Step(waiting=(wait,))
    return _serving(context, record, status)


def _serving(context: Context, record: VolumeRecord, status: KeeperStatus) -> Step:
    """The engine answers SQL: write down what was learned, then see to the account."""
    actions: list[Action] = []
    learned = _learned(context, record, status)
    if learned is not None:
        actions.append(learned)
    ordinal = record.identity.ordinal
    key, launched = record.key, record.launch
    assert launched is not None
    assert record.task_id is not None
    engine = engine_of(record.engine)
    assert engine is not None
    application = engine.application_name(record.first_name)
    name, secret = connection_secret_name(key.name), context.observed.secret
    wanted = EnsureSecret(
        name=name,
        key=key,
        username=application,
        database=application,
        host=launched.agent.address,
        port=launched.port,
        revision=secret.revision if secret is not None else "",
    )
    if secret is None or not _says(secret, wanted):
        if learned is None:
            # Refused where it is not the stored one: whoever launched the member anew meanwhile knows the address.
            actions.append(SaveVolume(volume=record, why=f"{record.name} is still what the ledger says"))
        actions.append(wanted)
        return Step(actions=tuple(actions), waiting=(_setting(ordinal),))
    if status.credentials_revision != secret.revision:
        actions.append(SendCredentials(task_id=record.task_id, secret_name=name, key=key, revision=secret.revision))
        return Step(
            actions=tuple(actions),
            waiting=(_setting(ordinal),),
            announcements=(
                Announcement(
                    reason=EventReason.CREDENTIALS_SET,
                    message=f"account {wanted.username} set from Secret {name}",
                ),
            ),
        )
    return Step(
        actions=tuple(actions),
        waiting=_space(record, status),
        report=report_of(record, "Running", ready=True),
        look_again_seconds=_healthy_in(context, record) if record.failures else None,
    )


def _says(secret: SecretView, wanted: EnsureSecret) -> bool:
    """Whether a Secret says what it must. A password that somebody chose is as good as ours."""
    held = (secret.username, secret.database, secret.host, secret.port)
    return secret.coherent and held == (wanted.username, wanted.database, wanted.host, str(wanted.port))


def _remedy(reason: Reason, record: VolumeRecord) -> str:
    match reason:
        case Reason.WAITING_FOR_CLAIM:
            return "its predecessor still holds the claim; it ends when the last old process does"
        case Reason.DISK_FULL:
            # A directory is as large as its disk, whatever the manifest says.
            grows = record.strategy is Strategy.PERSISTENT_VOLUME
            more = ", or raise spec.storage.size" if grows else ""
            return f"free space where the data lies{more}; the member goes on by itself"
        case _:
            return "see the message, and docs/troubleshooting.md"


def _learned(context: Context, record: VolumeRecord, status: KeeperStatus) -> SaveVolume | None:
    """Write down that there is data now, the fencing token, and, after a while, that failures are past."""
    healthy = _healthy_in(context, record) <= 0
    # A volume's size is what is offered of it; nothing but the manifest tells that of a directory.
    measured = record.strategy is Strategy.PERSISTENT_VOLUME
    learned = replace(
        record,
        size_bytes=record.size_bytes if measured else context.spec.storage.size_bytes,
        initialised=True,
        token=max(record.token, status.token),
        unheard=None,
        phase=VolumePhase.IN_USE,
        failures=0 if healthy else record.failures,
    )
    return SaveVolume(volume=learned, why="the engine answers") if learned != record else None


def _healthy_in(context: Context, record: VolumeRecord) -> float:
    """Return in how many seconds a member that still serves then has outlived its failures."""
    assert record.launch is not None
    # A launch in the future is of a clock that has been set back since: that long is not waited for.
    since = record.launch.at_seconds
    return since + HEALTHY_AFTER_SECONDS - context.now if since <= context.now else 0.0


def _space(record: VolumeRecord, status: KeeperStatus) -> tuple[Waiting, ...]:
    """A server that still answers, on a disk that is as good as full: its next write may fail."""
    if not status.disk_total_bytes or status.disk_free_bytes >= DISK_FULL_BELOW_BYTES:
        return ()
    message = f"{status.disk_free_bytes // BYTES_PER_MIB} MiB are free where the data lies; writes may fail"
    fix = _remedy(Reason.DISK_FULL, record)
    return (Waiting(ordinal=record.identity.ordinal, reason=Reason.DISK_FULL, message=message, fix=fix),)


def noted_refusal(record: VolumeRecord, status: KeeperStatus) -> SaveVolume | None:
    """Return what writes down why the keeper refuses, while it still says so, or None where that is written down.

    It ends a few seconds later, and Mesos passes on no more than an exit status. Where another launch has opened the
    data, that one is followed from now on. What the data was made with is known from now on where it was not.
    """
    assert record.launch is not None
    noted = behind.opened_by(record, status.opened_number, status.opened_by) if status.opened_number else record
    if noted.task_id != record.task_id:
        return SaveVolume(volume=noted, why=f"{noted.task_id} opened the data last, and the ledger did not know of it")
    made_with = status.made_with if record.made_with is None else record.made_with
    noted = replace(noted, made_with=made_with, launch=replace(record.launch, refusal=kept(status.reason)))
    return SaveVolume(volume=noted, why=f"the keeper refused: {status.reason}") if noted != record else None


def _setting(ordinal: int) -> Waiting:
    return Waiting(
        ordinal=ordinal,
        reason=Reason.SETTING_CREDENTIALS,
        message="the application account is being set",
    )
