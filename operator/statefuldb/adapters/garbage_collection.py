"""The garbage collector of a process that keeps much for long.

A full collection looks at all that is kept: with thousands of databases it holds every thread up for a good part of a
second. What has lived for a while lives on, so it is taken out of what the collector looks at (`gc.freeze`). Reference
counts free it all the same; only rings among it wait for the day's one whole collection. What the C library keeps of
freed memory, tens of mebibytes once large answers were read, goes back to the system (malloc_trim(3), glibc only).
"""

import ctypes
import gc

from statefuldb.reconcile.machine import Machine

SPARE_SECONDS = 60.0
ROUNDS_BETWEEN_WHOLE = 24 * 60
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)


def spare_what_stays(machine: Machine, rounds: int = 1) -> None:
    """Spare what is there now, and again every minute what has been added; every so many `rounds` look at all."""
    if rounds % ROUNDS_BETWEEN_WHOLE == 0:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    if _TRIM is not None:
        _TRIM(0)
    machine.after(SPARE_SECONDS, lambda: spare_what_stays(machine, rounds + 1))
