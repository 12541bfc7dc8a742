"""The task that empties the directory of a member whose data goes, where no volume takes it along."""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.operations import LaunchTask
from statefuldb.model.plan import Waiting
from statefuldb.model.resources import BYTES_PER_MIB
from statefuldb.model.spec import ResourcesSpec, RiskClass
from statefuldb.model.volume import AgentRef, Launch, VolumeRecord
from statefuldb.model.volume_object import to_label
from statefuldb.planning.behind import abreast
from statefuldb.planning.context import Context, Step
from statefuldb.planning.launch import back_off_seconds, keeper_config
from statefuldb.planning.placing import needs_of
from statefuldb.planning.storage import strategy_of
from statefuldb.planning.storage.bundle import Claim

ERASE_RESOURCES = ResourcesSpec(cpus_milli=100, memory_bytes=64 * BYTES_PER_MIB)


def erase(context: Context, record: VolumeRecord) -> Step:
    """Launch the task that empties the member's directory, on the agent that can reach it."""
    record = abreast(context.observed, record)
    wait = Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.RELEASING,
        message=f"waiting for an agent on which {record.directory} can be removed",
        wants_offers=True,
    )
    if record.ending is not None and record.launch is not None and record.launch.erase:
        ready_at = record.ending.at_seconds + max(1.0, back_off_seconds(record))
        # An end in the future is of a clock that has been set back since: it is not waited for.
        if record.ending.at_seconds <= context.now < ready_at:
            message = f"removing {record.directory} failed: {record.ending.message}"
            return Step(waiting=(replace(wait, message=message, look_again_seconds=ready_at - context.now),))
    needs = needs_of(context, record)
    for offer in context.offers:
        claim = strategy_of(record.strategy).claim(context.spec, record, needs, offer)
        if not isinstance(claim, Claim):
            continue
        agent = AgentRef(id=offer.agent_id, hostname=offer.hostname, address=offer.address)
        incarnation = record.incarnation + 1
        recorded = replace(
            record,
            incarnation=incarnation,
            ending=None,
            reservations=(*record.reservations, needs.labels.reservation)
            if needs.labels is not None and claim.reserves
            else record.reservations,
            launch=Launch(
                incarnation=incarnation,
                agent=agent,
                template="erase",
                cpus_milli=ERASE_RESOURCES.cpus_milli,
                memory_bytes=ERASE_RESOURCES.memory_bytes,
                port=claim.ports[0],
                keeper_port=claim.ports[1],
                erase=True,
                framework_id=context.observed.mesos.framework_id or "",
                at_seconds=context.now,
            ),
        )
        task_id = recorded.task_id
        assert task_id is not None
        what = f"remove {record.directory} on {offer.hostname}"
        task = LaunchTask(
            task_id=task_id,
            name=f"{record.member}-erase",
            agent_id=offer.agent_id,
            resources=claim.resources,
            keeper=keeper_config(context, recorded, mode="Erase"),
            grace_seconds=5,
            ledger=to_label(recorded),
        )
        return Step(
            actions=(
                SaveVolume(volume=recorded, why=what),
                AcceptOffers(
                    agent=agent,
                    offer_ids=offer.offer_ids,
                    operations=(*claim.operations, task),
                    what=what,
                    ordinal=record.identity.ordinal,
                    risk=RiskClass.DESTRUCTIVE,
                ),
            )
        )
    return Step(waiting=(wait,))
