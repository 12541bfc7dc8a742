"""Tasks of which nobody knows whether they write: unreachable, lost, unknown, declared gone.

None of these states is proof (law `one_writer`); the strategy says what is. Until then the member waits, and says what
a person could do. Nothing is ever rebuilt in silence.
"""

from dataclasses import replace

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Offers, TaskState, TaskStatus
from statefuldb.model.plan import Waiting
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent, Launch, VolumeRecord
from statefuldb.planning.commands import command, delete_entry
from statefuldb.planning.context import Context, Step
from statefuldb.planning.members import fencing, missing_resources
from statefuldb.planning.members.launch import launch
from statefuldb.planning.members.strays import beside
from statefuldb.planning.storage import strategy_of

SETTLING_SECONDS = 15.0
# How long a master waits for an agent's answers to its pings by default (docs/mesos.md).
SILENCE_SECONDS = 75.0
# An agent that is registered for so long has heard what its master had told it before, and has ended what it had to,
# for which docs/mesos.md wants it to leave 60 s.
PROOF_SECONDS = SILENCE_SECONDS + 75.0
# Said where an earlier framework of ours may be registered again.
TEAR_DOWN = "where the earlier framework has not ended (GET_FRAMEWORKS), tear it down"

_SEEN = {
    TaskState.UNREACHABLE: "{host} is out of reach and may still be writing",
    TaskState.LOST: "Mesos lost sight of it, and {host} may still be writing",
    TaskState.UNKNOWN: "Mesos does not say what became of it, and {host} may still be writing",
    TaskState.GONE_BY_OPERATOR: "a person has told Mesos that {host} is gone for good, which proves nothing",
}


def undecided(context: Context, record: VolumeRecord, status: TaskStatus) -> Step:
    """Return the next step of a member that should run: a launch where there is proof, else what it waits for."""
    if _writes_no_more(context, record, status):
        # What never served may go elsewhere, where nothing shows that this one has ended: it is written down first.
        if _may_go_elsewhere(record):
            return settled(context, record, status)
        step = beside(context, record) or launch(context, record)
        return step if step.actions else replace(step, actions=fencing.noted(record, status))
    if _never_served(context, record, status):
        # An offer of that agent may have come before the word that it is gone.
        elsewhere = replace(context, offers=_of_others(context, record.launch))
        return beside(context, record) or launch(elsewhere, record)
    wait = _wait(context, record, status)
    if status.settling:
        return Step(waiting=(wait,))
    due = fencing.due_in_seconds(context, record, status)
    if due is None:
        return Step(waiting=(wait,))
    if due > 0:
        after = context.spec.storage.on_node_loss_after_seconds
        said = f"{wait.message}; the fence command runs {after} s after the loss"
        return Step(waiting=(replace(wait, message=said, look_again_seconds=due),))
    return replace(fencing.by_command(record, status), waiting=(wait,))


def settled(context: Context, record: VolumeRecord, status: TaskStatus) -> Step:
    """Return the next step of a member that should not run: its end where its strategy has proof, else the wait."""
    if not _writes_no_more(context, record, status):
        return Step(waiting=(_wait(context, record, status),))
    ending = Ending(
        incarnation=status.id.incarnation,
        state=status.state,
        reason=status.reason,
        message="its agent is back without it",
        at_seconds=context.now,
    )
    over = replace(fencing.about(record, status), ending=ending)
    saved = SaveVolume(volume=over, why=f"incarnation {status.id.incarnation} is proved over")
    return Step(actions=(saved,))


def _writes_no_more(context: Context, record: VolumeRecord, status: TaskStatus) -> bool:
    """Whether the strategy has proof that the last launch has ended, or can write no more."""
    # What an agent still runs for a framework that has ended does not keep the volume from being offered.
    offers = _of_others(context, _launched_by_another(context, record))
    return strategy_of(record.strategy).reattaches_after(record, status, offers)


def _of_others(context: Context, launched: Launch | None) -> Offers:
    """Return the offers of agents other than the one that was launched on."""
    return tuple(o for o in context.offers if launched is None or o.agent_id != launched.agent.id)


def _never_served(context: Context, record: VolumeRecord, status: TaskStatus) -> bool:
    """Whether the agent that is gone for good holds nothing of worth: nobody was ever told of a server there.

    It is gone by a person's word, or where Mesos does not list it and lists its host as another agent without the
    volume. Another agent gets a volume with another id; what may be left on that one is noted, and given back where it
    is ever offered again. A directory stays on its host.
    """
    if not _may_go_elsewhere(record):
        return False
    if status.state is TaskState.GONE_BY_OPERATOR:
        return True
    seen = missing_resources.sighting(context, record)
    if not status.state.agent_away or status.settling or seen is None or record.agent is None:
        return False
    # While it is registered itself, the master has yet to say of it what it knows.
    forgotten = record.agent.id not in seen.agent_ids
    return forgotten and record.agent.hostname in seen.hosts and not seen.volume_on


def _may_go_elsewhere(record: VolumeRecord) -> bool:
    return record.strategy is Strategy.PERSISTENT_VOLUME and not record.initialised


def _launched_by_another(context: Context, record: VolumeRecord) -> Launch | None:
    """Return the last launch where an earlier framework of ours made it."""
    launched = record.launch
    return launched if launched is not None and launched.by_another(context.observed.mesos.framework_id) else None


def _wait(context: Context, record: VolumeRecord, status: TaskStatus) -> Waiting:
    if status.settling:
        return _settling(record)
    wait = missing_resources.explained(context, record, _lost(record, status))
    told = status.state is not TaskState.UNKNOWN and _launched_by_another(context, record) is None
    if told and not (status.state.agent_away and _may_go_elsewhere(record)):
        return wait
    # Nobody tells this framework when the agent, or another on its host, is there: it is looked for.
    return replace(wait, look_again_seconds=wait.look_again_seconds or missing_resources.LOOK_AGAIN_SECONDS)


def _settling(record: VolumeRecord) -> Waiting:
    host = record.agent.hostname if record.agent else "its agent"
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AWAITING_RECONCILIATION,
        message=f"{record.task_id} was launched by an earlier framework of ours, and {host} may still be running it",
        fix=f"it counts as ended once {host} has been active for {PROOF_SECONDS:g} s; {TEAR_DOWN} (docs/mesos.md, "
        "Trouble with the connection)",
        look_again_seconds=SETTLING_SECONDS,
    )


def _lost(record: VolumeRecord, status: TaskStatus) -> Waiting:
    host = record.agent.hostname if record.agent else "its agent"
    seen = f"{status.state}: {_SEEN.get(status.state, _SEEN[TaskState.LOST]).format(host=host)}"
    if strategy_of(record.strategy).capabilities.reattachable:
        return _fencing_required(record, host, seen)
    if status.state is TaskState.GONE_BY_OPERATOR:
        return Waiting(
            ordinal=record.identity.ordinal,
            reason=Reason.VOLUME_LOST,
            message=f"{seen}; its data, {record.name}, is there and nowhere else, and is declared lost with it",
            fix=_removed(record, host) if record.intent is Intent.DELETE else _found_again(record, host),
            wants_offers=True,
            hosts=(host,),
        )
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.AGENT_LOST,
        message=f"{seen}; its data, {record.name}, is on that agent",
        fix=_removed(record, host)
        if record.intent is Intent.DELETE
        else f"bring {host} back; the member goes on by itself",
        wants_offers=True,
        hosts=(host,),
    )


def _found_again(record: VolumeRecord, host: str) -> str:
    """Return what helps where data was declared lost that somebody wants."""
    give_up = command(record.key.namespace, "volumes", "release", record.name)
    return (
        f"start an agent on {host} again with its disks and its work directory, but without meta/slaves/latest in "
        "that, since Mesos ends the agent that is gone each time it starts: the member goes on by itself; or, where "
        f"the data is truly lost, give it up by name ({give_up}) and restore a backup into a new database"
    )


def _removed(record: VolumeRecord, host: str) -> str:
    """Return what helps where it is data that is to be removed."""
    delete = delete_entry(record.key.namespace, record.name)
    return (
        f"nothing to do: it is removed, and what it holds is given back, once {host} is back; where that never comes "
        f"back, delete the entry (`{delete}`), which touches no data (docs/operations.md, An agent is lost)"
    )


def _fencing_required(record: VolumeRecord, host: str, seen: str) -> Waiting:
    name = record.member
    key, ordinal = record.key, record.identity.ordinal
    confirm = command(key.namespace, "fence", key.name, "--member", str(ordinal), "--confirm", str(record.task_id))
    return Waiting(
        ordinal=record.identity.ordinal,
        reason=Reason.FENCING_REQUIRED,
        message=f"{seen}; {name} moves only after {host} was cut off from the file system",
        fix=f"cut {host} off at the file server, then say so: {confirm}",
        wants_offers=True,
    )
