"""The garbage collector of a server that keeps all objects: looking at thousands of them holds every request up.

What is stored stays, so it is taken out of what is looked at (`gc.freeze`), as the operator does with its caches.
"""

import gc
from collections.abc import Callable

SPARE_SECONDS = 60.0
ROUNDS_BETWEEN_WHOLE = 24 * 60


def spare_what_stays(call_later: Callable[..., object], rounds: int = 1) -> None:
    """Spare what is there now, and each minute what has been added; once a day look at all of it.

    `call_later` is an event loop's.
    """
    if rounds % ROUNDS_BETWEEN_WHOLE == 0:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    call_later(SPARE_SECONDS, spare_what_stays, call_later, rounds + 1)
