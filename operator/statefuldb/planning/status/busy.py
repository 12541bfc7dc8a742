"""Which of a plan's actions its database is waited for: none about data of earlier lives, or about what is over."""

from dataclasses import replace

from statefuldb.model.actions import AcceptOffers, Action, ForgetVolume, KillTask, SaveVolume
from statefuldb.model.identity import DataIdentity
from statefuldb.model.observed import Observed
from statefuldb.model.operations import Destroy, LaunchTask, Operation, Unreserve
from statefuldb.model.plan import Plan
from statefuldb.planning.ledger.ownership import is_of_this_database
from statefuldb.planning.storage.holding import identity_of

Member = tuple[str, int]
_ITS_OWN: set[Member] = {("", 0)}


def is_busy(plan: Plan, observed: Observed) -> bool:
    """Say whether something is about to be done that this database is not ready without."""
    earlier = _earlier_lives(plan, observed)
    return any(not (_about(action) <= earlier or _beside_the_target(action, observed)) for action in plan.actions)


def _earlier_lives(plan: Plan, observed: Observed) -> set[Member]:
    """Return whose data is not this database's, nor is taken up by it in this plan."""
    saved = {action.volume.identity: action.volume for action in plan.actions if isinstance(action, SaveVolume)}
    records = (saved.get(record.identity, record) for record in observed.volumes)
    return {_member(r.identity) for r in records if not is_of_this_database(observed, r)}


def _about(action: Action) -> set[Member]:
    """Return whose data an action is about; all that is no member's is the database's own."""
    match action:
        case SaveVolume(volume=volume) | ForgetVolume(volume=volume):
            return {_member(volume.identity)}
        case KillTask(task_id=task_id):
            return {(task_id.uid, task_id.ordinal)}
        case AcceptOffers(operations=operations):
            return {member for operation in operations for member in _of(operation)} or _ITS_OWN
        case _:
            return _ITS_OWN


def _of(operation: Operation) -> set[Member]:
    match operation:
        case LaunchTask(task_id=task_id):
            return {(task_id.uid, task_id.ordinal)}
        case Destroy(volume=volume):
            held = [identity_of(volume)]
        case Unreserve(resources=resources):
            held = [identity_of(resource) for resource in resources]
        case _:
            # The rest makes room for a launch beside it, and is whoever's that is.
            held = []
    return {_member(identity) for identity in held if identity is not None}


def _member(identity: DataIdentity) -> Member:
    return (identity.uid, identity.ordinal)


def _beside_the_target(action: Action, observed: Observed) -> bool:
    """Say whether nobody has to wait for an action: it writes down that failures are past, or gives back a surplus.

    Where Mesos refuses to take that back, a database that serves would be called not Ready at each attempt.
    """
    if isinstance(action, AcceptOffers):
        return all(isinstance(operation, Unreserve) for operation in action.operations)
    if not isinstance(action, SaveVolume):
        return False
    saved = action.volume
    noted = (replace(before, giving_back=saved.giving_back) for before in observed.volumes)
    return any(saved in (before, replace(before, failures=0)) for before in noted)
