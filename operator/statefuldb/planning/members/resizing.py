"""More cpu or memory than a member was launched with: it is stopped for that only while there is room for it.

Where there is none it runs on as it is, and says so; and where the room went between the stop and the launch, or the
member ended by itself while it waited, it is launched as it was before. An edit that cannot be carried out must not
cost what runs.
"""

from dataclasses import replace

from statefuldb.model.conditions import Reason
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import MILLI, milli_of_bytes
from statefuldb.model.spec import ResourcesSpec, Strategy
from statefuldb.model.volume import Launch, VolumeRecord
from statefuldb.planning.context import Context
from statefuldb.planning.members.placing import choose, fits, needs_of
from statefuldb.planning.storage.bundle import Needs, Refusal

PATIENCE_SECONDS = 15.0
TRY_AGAIN_SECONDS = 300.0


def lacking(context: Context, record: VolumeRecord) -> Waiting | None:
    """Return why a running member is not stopped yet for what was edited, or None where it may be."""
    launched = record.launch
    assert launched is not None
    extra = _extra(context, record)
    if not extra.cpus_milli and not extra.mem_milli:
        return None
    name, host = record.member, launched.agent.hostname
    more = " and ".join(
        [f"{extra.cpus_milli / MILLI:g} cpus"] * bool(extra.cpus_milli)
        + [f"{extra.mem_milli // MILLI} MiB of memory"] * bool(extra.mem_milli)
    )
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AWAITING_RESOURCES,
        message=f"{name} runs on as it was launched: {host} does not offer {more} more",
        fix=f"free {more} on {host}{or_quota(record.mesos_role)}, or lower what spec.resources asks for; the member is "
        "restarted once for it",
        wants_offers=True,
        hosts=() if record.strategy is Strategy.DFS else (host,),
        needs=more,
        short_of_target=True,
    )
    again_in = again_in_seconds(context, launched)
    if launched.short and again_in:
        gone = f"{name} was launched as before: what {host} had offered was gone after the stop"
        return replace(wait, message=gone, wants_offers=False, look_again_seconds=again_in)
    refusals: dict[str, int] = {}
    for offer in context.offers:
        if offer.hostname != host:
            continue
        found = fits(context, record, extra, offer)
        if not isinstance(found, Refusal):
            return None
        refusals[found.code] = refusals.get(found.code, 0) + 1
    if record.strategy is Strategy.DFS and not isinstance(choose(context, record), Waiting):
        return None
    return replace(wait, refusals=dict(sorted(refusals.items())))


def or_quota(role: str) -> str:
    """Return the advice to raise a role's quota; a role below another has none, and that one's does not bound it."""
    return "" if "/" in role else f", or raise the quota of role {role} where that is the limit"


def as_before(context: Context, record: VolumeRecord) -> Context | None:
    """Return the context with the resources of the last launch, or None where that had no less than is wanted."""
    if record.launch is None or not record.initialised or record.launch.erase:
        return None
    extra = _extra(context, record)
    if not extra.cpus_milli and not extra.mem_milli:
        return None
    wanted = context.spec.resources
    smaller = ResourcesSpec(
        cpus_milli=min(wanted.cpus_milli, record.launch.cpus_milli),
        memory_bytes=min(wanted.memory_bytes, record.launch.memory_bytes),
    )
    return replace(context, spec=replace(context.spec, resources=smaller))


def patience_seconds(context: Context, record: VolumeRecord) -> float:
    """Return how long a stopped member still waits for room, which may be in another offer that is on its way."""
    ended_at = record.ending.at_seconds if record.ending is not None else 0.0
    left = ended_at + PATIENCE_SECONDS - context.now
    # An end in the future is of a clock that has been set back since: it is not waited for.
    return left if 0 < left <= PATIENCE_SECONDS else 0.0


def again_in_seconds(context: Context, launched: Launch) -> float:
    """Return how long a member that was launched with less than is wanted is left alone yet."""
    left = launched.at_seconds + TRY_AGAIN_SECONDS - context.now
    # A launch in the future is of a clock that has been set back since: it is not waited for.
    return left if 0 < left <= TRY_AGAIN_SECONDS else 0.0


def _extra(context: Context, record: VolumeRecord) -> Needs:
    """Return what is wanted beside what the last launch used."""
    assert record.launch is not None
    held = milli_of_bytes(record.launch.memory_bytes)
    wanted = needs_of(context, record)
    return replace(
        wanted,
        cpus_milli=max(0, wanted.cpus_milli - record.launch.cpus_milli),
        mem_milli=max(0, wanted.mem_milli - held),
        port_count=0,
        disk_milli=0,
        persistence_id=None,
        create_volume=False,
    )
