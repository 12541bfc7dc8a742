"""Asking agents to give back what they hold for a member (DESTROY, UNRESERVE): ever more rarely where it is in vain.

Whatever of it is offered again was asked for in vain. It may have been lost on its way, so the second attempt comes at
once; or Mesos refuses, as where the masters' ACLs do not permit it, which it tells on agents with operation feedback
only. Each attempt is counted in the entry before it is made: a restart forgets none.
"""

from dataclasses import replace

from statefuldb.model.plan import Waiting
from statefuldb.model.volume import GivingBack, VolumeRecord, kept
from statefuldb.planning.context import Context
from statefuldb.planning.members import back_off, failed_operations

LIMIT_SECONDS = 300.0
# What is asked for so much later than anything before is something else.
ANEW_SECONDS = 2 * LIMIT_SECONDS
# So many may be lost on their way, or be of several agents.
ATTEMPTS_UNTOLD = 2
REMEDY = (
    "let the masters' ACLs permit unreserve_resources and destroy_volumes to the operator's principal: `statefuldb "
    "doctor` looks at that; what they refuse is in their log too (docs/mesos.md, Role, principal, quota)"
)
_KINDS = frozenset({"DESTROY", "UNRESERVE"})


def counted(context: Context, record: VolumeRecord) -> VolumeRecord:
    """Return the entry with one more attempt, which is made now, and what Mesos said to the one before."""
    before, identity = record.giving_back, record.identity
    if before is None or context.now - before.at_seconds > ANEW_SECONDS:
        before = GivingBack(attempts=0)
    said = failed_operations.refusal(context.observed, identity.ordinal, identity.uid, _KINDS)
    asked = GivingBack(
        attempts=before.attempts + 1,
        at_seconds=context.now,
        refusal=(kept(said) or before.refusal) if before.attempts else "",
    )
    return replace(record, giving_back=asked)


def pause_seconds(context: Context, record: VolumeRecord) -> float:
    """Return for how long it is not asked for again, 0 where that is due."""
    asked = record.giving_back
    if asked is None:
        return 0.0
    again_at = asked.at_seconds + back_off.seconds(asked.attempts, LIMIT_SECONDS)
    # An attempt in the future is of a clock that has been set back since: it is not waited for.
    return again_at - context.now if asked.at_seconds <= context.now < again_at else 0.0


def explained(record: VolumeRecord, wait: Waiting) -> Waiting:
    """Return the wait for something to be given back, which says so where it was asked for in vain."""
    if not _in_vain(record):
        return wait
    said = f"it was asked for in vain, and is asked for ever more rarely, every {LIMIT_SECONDS:g} s in the end"
    return replace(wait, message=f"{wait.message}; {said}", fix=REMEDY)


def failure(record: VolumeRecord) -> str:
    """Return what is known of attempts that were in vain, empty where there were none or few."""
    if not (asked := _in_vain(record)):
        return ""
    still = f"what agents were asked to give back of {record.member} is still there"
    return f"{still}: {asked.refusal or 'Mesos does not say why'}"


def _in_vain(record: VolumeRecord) -> GivingBack | None:
    """Return the attempts, where there were so many that those before the last one were in vain."""
    asked = record.giving_back
    return asked if asked is not None and asked.attempts > ATTEMPTS_UNTOLD else None
