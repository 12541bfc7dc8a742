"""A larger volume: a planned stop, GROW_VOLUME in an ACCEPT of its own, and the relaunch on what is then offered.

It is only stopped for while its agent offers what it lacks on the volume's own disk, and never stays stopped for long:
where the difference went meanwhile, or Mesos refuses, the member runs on at the old size and says so. What the ledger
says of the size is what was last offered. What a volume lacks is counted in whole MiB: nobody is stopped for less.
"""

from collections.abc import Iterable
from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, KillTask, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import TaskStatus
from statefuldb.model.operations import Grow, Operation, Reserve
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import MILLI, AgentOffer, Resource, bytes_of_milli, milli_of_bytes
from statefuldb.model.spec import DiskType, RiskClass, Strategy
from statefuldb.model.volume import Growth, VolumeRecord
from statefuldb.planning.commands import command
from statefuldb.planning.context import Context, Step
from statefuldb.planning.members.resizing import PATIENCE_SECONDS, again_in_seconds, or_quota, patience_seconds
from statefuldb.planning.members.template import restart_request
from statefuldb.planning.storage.bundle import Claim
from statefuldb.planning.storage.disks import disk_of, in_words, is_free
from statefuldb.planning.storage.holding import is_volume, usable

ATTEMPTS = 3


def wanted(context: Context, record: VolumeRecord) -> bool:
    """Say whether a larger volume is wanted than the ledger has seen."""
    volume = context.spec.storage.persistent_volume
    grows = record.strategy is Strategy.PERSISTENT_VOLUME and volume is not None
    return grows and volume is not None and volume.disk_type is not DiskType.MOUNT and _lacking(context, record) > 0


def while_running(context: Context, record: VolumeRecord, status: TaskStatus, served: Step, grace_seconds: int) -> Step:
    """Return the planned stop where the member's agent offers what is lacking, else `served` and why it stays small.

    A member that is still starting is left alone, unless it cannot start for want of space.
    """
    assert record.launch is not None
    full = any(wait.reason is Reason.DISK_FULL for wait in served.waiting)
    if not wanted(context, record) or (served.report is None and not full):
        return served
    name, host = record.member, record.launch.agent.hostname
    lacking, disk = _lacking(context, record), in_words(record.disk, host)
    sizes = f"storage {record.size_bytes} -> {context.spec.storage.size_bytes} bytes"
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AWAITING_DISK,
        message=f"{sizes}: {name} runs at the old size; {disk} does not offer {lacking // MILLI} MiB more",
        fix=f"free space on {disk}{or_quota(record.mesos_role)}; the member is restarted once for it",
        wants_offers=True,
        hosts=(host,),
        needs=f"disk {lacking // MILLI}",
        short_of_target=True,
    )
    if _given_up(context, record):
        failed = f"{sizes}: {name} runs at the old size; its volume did not grow in {ATTEMPTS} attempts"
        again = command(record.key.namespace, "restart", record.key.name)
        fix = f"see what Mesos says of it, then try again with `{again}`"
        return replace(served, waiting=(*served.waiting, replace(wait, message=failed, fix=fix, wants_offers=False)))
    again_in = again_in_seconds(context, record.launch)
    if served.report is not None and again_in and record.growth == _asked(context, record):
        gone = f"{sizes}: {name} runs at the old size: {disk} did not offer {lacking // MILLI} MiB more at its launch"
        later = replace(wait, message=gone, wants_offers=False, look_again_seconds=again_in)
        return replace(served, waiting=(*served.waiting, later))
    for offer in context.offers:
        if offer.agent_id == record.launch.agent.id and _free(context, record, offer) >= lacking:
            kill = KillTask(
                task_id=status.id,
                agent_id=status.agent_id,
                grace_seconds=grace_seconds,
                why=f"restart {name}: {sizes}",
                risk=RiskClass.RESTART,
            )
            return replace(served, actions=(*served.actions, kill))
    return replace(served, waiting=(*served.waiting, wait))


def while_stopped(context: Context, record: VolumeRecord) -> Step | None:
    """Return the ACCEPT that makes the offered volume larger, a short wait, or None where it is launched as it is.

    Before all that an entry that calls the volume larger than it is is put right.
    """
    held = _offered(record, context.offers)
    if held is None:
        return None
    offer, volume = held
    seen = _as_seen(record, volume)
    if record.initialised and seen.size_bytes < record.size_bytes:
        # The master had offered what its agent, cut off, never made: whatever is foreseen goes by the entry.
        return Step(actions=(SaveVolume(volume=seen, why=f"{record.name} is smaller than its agent was asked for"),))
    if not wanted(context, seen) or _given_up(context, record):
        return None
    lacking = _lacking(context, seen)
    operations = _grow(offer, volume, lacking)
    if operations is None:
        return _patience(context, seen, offer, lacking)
    before = _asked(context, record)
    asked = replace(before, attempts=before.attempts + 1)
    what = f"grow {record.name} by {lacking // MILLI} MiB on {offer.hostname}"
    return Step(
        actions=(
            SaveVolume(volume=replace(record, disk=seen.disk, growth=asked), why=what),
            AcceptOffers(
                agent=offer.agent,
                offer_ids=offer.offer_ids,
                operations=operations,
                what=what,
                ordinal=record.identity.ordinal,
            ),
        )
    )


def launched(context: Context, record: VolumeRecord, claim: Claim) -> VolumeRecord:
    """Return the record of a launch with `claim`: how large its volume is and where, and what it did not grow to."""
    volume = next((r for r in claim.resources if is_volume(r, record.identity, record.persistence_id)), None)
    seen = _as_seen(record, volume) if volume is not None else record
    if not wanted(context, seen):
        return replace(seen, growth=None)
    # A first launch, on what an earlier attempt made, is stopped for the rest as soon as that is offered.
    return replace(seen, growth=_asked(context, record)) if record.initialised else seen


def _lacking(context: Context, record: VolumeRecord) -> int:
    return milli_of_bytes(context.spec.storage.size_bytes) - milli_of_bytes(record.size_bytes)


def _as_seen(record: VolumeRecord, volume: Resource) -> VolumeRecord:
    return replace(record, size_bytes=bytes_of_milli(volume.amount_milli), disk=disk_of(volume))


def _offered(record: VolumeRecord, offers: Iterable[AgentOffer]) -> tuple[AgentOffer, Resource] | None:
    """Return the member's volume where it is offered."""
    for offer in offers:
        for resource in offer.resources:
            if is_volume(resource, record.identity, record.persistence_id):
                return offer, resource
    return None


def _asked(context: Context, record: VolumeRecord) -> Growth:
    """Return how often Mesos was asked for the wanted size, counted anew for another size or request.

    An earlier operator, which noted no disk, counted what it stopped a member for in vain as well.
    """
    anew = Growth(size_bytes=context.spec.storage.size_bytes, restarted_at=restart_request(context, record.launch))
    before = record.growth
    return before if record.disk and before and replace(before, attempts=0) == anew else anew


def _given_up(context: Context, record: VolumeRecord) -> bool:
    return _asked(context, record).attempts >= ATTEMPTS


def _patience(context: Context, record: VolumeRecord, offer: AgentOffer, lacking: int) -> Step | None:
    """Wait a moment for the difference: it may be in another offer that is on its way."""
    left = patience_seconds(context, record)
    if not left:
        return None
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AWAITING_DISK,
        message=f"waiting {PATIENCE_SECONDS:g} s at most for {in_words(record.disk, offer.hostname)} to offer "
        f"{lacking // MILLI} MiB more",
        wants_offers=True,
        hosts=(offer.hostname,),
        needs=f"disk {lacking // MILLI} beside the volume",
        look_again_seconds=left,
    )
    return Step(waiting=(wait,))


def _grow(offer: AgentOffer, volume: Resource, lacking: int) -> tuple[Operation, ...] | None:
    """Return the operations that add `lacking` to the volume: what an earlier attempt reserved, then what is free."""
    like = replace(volume, persistence=None)
    disks = [r for r in offer.resources if r.name == "disk" and r.persistence is None and r.source == volume.source]
    held = sum(r.amount_milli for r in disks if r.reservations == volume.reservations)
    operations: list[Operation] = []
    if held < lacking:
        missing = lacking - held
        if not like.reservations[-1].dynamic:
            # More of a static reservation can only come from the agent's configuration.
            return None
        if not any(r.reservations == volume.reservations[:-1] and r.amount_milli >= missing for r in disks):
            return None
        operations.append(Reserve(resources=(like.part(missing),)))
    return (*operations, Grow(volume=volume, addition=like.part(lacking)))


def _free(context: Context, record: VolumeRecord, offer: AgentOffer) -> int:
    """Return what the volume may grow by on `offer`: of its own disk, or while none is noted, of any of that type."""
    disk, volume = record.disk, context.spec.storage.persistent_volume
    assert volume is not None
    return max(
        (
            r.amount_milli
            for r in offer.resources
            if (is_free(r, disk) if disk is not None else _is_alike(r, volume.disk_type, offer.role))
        ),
        default=0,
    )


def _is_alike(resource: Resource, disk_type: DiskType, role: str) -> bool:
    return resource.name == "disk" and resource.source.type is disk_type and usable(resource, role)
