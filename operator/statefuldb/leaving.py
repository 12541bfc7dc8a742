"""How an operator ends that must not do one more thing: at once, whatever its threads are at."""

import os
from collections.abc import Callable
from logging import getLogger

from statefuldb.adapters.kubernetes.framework import FrameworkRecord
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
# The exit status of an operator whose place another one has taken, or takes.
DEPOSED = 1


def leave_at_once() -> None:
    """End the process as if it were killed: another operator leads, and none of our threads may do one more thing."""
    log.critical("the Lease is lost; another operator leads")
    os._exit(DEPOSED)


def leave_to_begin_anew(leads: Callable[[], bool]) -> None:
    """End the process of a leader whose subscription another one took: who leads next subscribes, and ends the other.

    The Lease is left to lapse, so that two whose Leases differ by mistake do not depose each other many times a second.
    One that was stopped for longer than its Lease may hear of the next leader from Mesos first.
    """
    if not leads():
        leave_at_once()
    log.critical("another operator, which does not hold the Lease, has subscribed as this framework; this one ends")
    os._exit(DEPOSED)


def leave_to_read_anew(record: FrameworkRecord) -> None:
    """End the process, as what it knows of the API is of a past that is no more; the next one reads all of it anew.

    Nobody may have said that the API was restored, so it is written down before.
    """
    log.critical(
        "the API was restored from a backup while this operator ran: it ends, and the next one begins anew with what "
        "is there (docs/operations.md, What to back up)"
    )
    try:
        record.note_restored()
    except EffectFailed as error:
        log.critical("restoredAt could not be written, write it yourself: %s", error)
    os._exit(DEPOSED)


def note_restored(record: FrameworkRecord, leads: Callable[[], bool]) -> None:
    """Write down that the API was restored while this operator, one of several, looked at the Lease.

    A leader ends then. One that stands by knows nothing else of the API, and stands by on. Raises EffectFailed.
    """
    if leads():
        leave_to_read_anew(record)
    record.note_restored()
    log.critical("the API was restored from a backup while this operator stood by: restoredAt is written down")
