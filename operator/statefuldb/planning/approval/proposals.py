"""Actions as people approve them: what each one risks, says, and is known by.

The key of an action names the incarnation, the volume or the account that it is about, and no offer or agent: by it an
approved action is known whichever agent serves in the end, and since no incarnation is launched twice, none is by it.
"""

from typing import assert_never

from statefuldb.model.actions import (
    AcceptOffers,
    Action,
    AddFinalizer,
    DeleteSecret,
    EnsureSecret,
    FenceAgent,
    ForgetVolume,
    KillTask,
    RemoveFinalizer,
    SaveVolume,
    SendCredentials,
)
from statefuldb.model.operations import Destroy, Grow, LaunchTask, Operation, Unreserve
from statefuldb.model.plan import ProposedAction
from statefuldb.model.spec import RiskClass
from statefuldb.model.volume import VolumeRecord


def risk_of(action: Action) -> RiskClass:
    """Return how much an action can hurt."""
    match action:
        case AcceptOffers() | KillTask() | FenceAgent():
            return action.risk
        case _:
            return RiskClass.NON_DISRUPTIVE


def describe(action: Action) -> str:
    """Return one action in a line, without what changes from pass to pass (offers, times)."""
    match action:
        case AcceptOffers():
            return action.what
        case KillTask() | SaveVolume():
            return action.why
        case FenceAgent(agent=agent, dfs=dfs):
            return f"cut {agent.hostname} off from {dfs.mount_point} by the fence command"
        case AddFinalizer():
            return "have the object's deletion wait for its data to be looked after"
        case RemoveFinalizer():
            return "let the object go"
        case ForgetVolume(volume=volume):
            return f"forget {volume.name}: its data is gone"
        case EnsureSecret(name=name):
            return f"keep Secret {name} current"
        case DeleteSecret(name=name):
            return f"remove Secret {name}"
        case SendCredentials(secret_name=name):
            return f"set the application's account from Secret {name}"
        case _:
            assert_never(action)


def key_of(action: Action) -> str:
    """Return what makes this action the same one in a later pass."""
    match action:
        case AcceptOffers(operations=operations):
            return ", ".join(filter(None, map(_operation_key, operations)))
        case KillTask(task_id=task_id):
            return f"stop {task_id}"
        case FenceAgent(task_id=task_id):
            return f"fence {task_id}"
        case SaveVolume(volume=volume):
            return f"{volume.intent} {volume.name} for {volume.owner_uid}"
        case ForgetVolume(volume=volume):
            return f"forget {volume.name}"
        case EnsureSecret(name=name):
            return f"secret {name}"
        case DeleteSecret(name=name):
            return f"remove secret {name}"
        case SendCredentials(task_id=task_id):
            return f"account {task_id}"
        case AddFinalizer(key=key) | RemoveFinalizer(key=key):
            return f"{type(action).__name__} {key}"
        case _:
            assert_never(action)


def proposed(action: Action) -> ProposedAction:
    """Return an action as it is published."""
    return ProposedAction(
        type=type(action).__name__, risk=risk_of(action), key=key_of(action), description=describe(action)
    )


def changes_something(action: Action, volumes: tuple[VolumeRecord, ...]) -> bool:
    """Say whether an action does more than write down what was learned, or what its neighbour is about to do.

    An entry of the ledger that changes hands, or that is to be kept or deleted from now on, is a change.
    """
    if not isinstance(action, SaveVolume):
        return True
    saved = action.volume
    return any(v.name == saved.name and (v.owner_uid, v.intent) != (saved.owner_uid, saved.intent) for v in volumes)


def _operation_key(operation: Operation) -> str:
    """Name what an operation is for; what only prepares a launch has no name of its own."""
    match operation:
        case LaunchTask(task_id=task_id):
            return f"launch {task_id}"
        case Destroy(volume=volume):
            return f"destroy {volume.persistence.id if volume.persistence else volume.name}"
        case Grow(volume=volume):
            return f"grow {volume.persistence.id if volume.persistence else volume.name}"
        case Unreserve(resources=resources):
            owners = {r.labels.identity for r in resources if r.labels is not None}
            return f"unreserve {' '.join(sorted(f'{o.uid}.{o.ordinal}' for o in owners))}"
        case _:
            return ""
