"""Importing pymesos without its side effects: it installs a SIGINT handler and a logging handler on import."""

import logging
import signal
from typing import Any


def _import_quietly() -> Any:
    real_signal, handlers = signal.signal, list(logging.getLogger("pymesos").handlers)
    # The handler is installed by `signal.signal` at import, which also fails outside the main thread.
    vars(signal)["signal"] = lambda number, handler: signal.getsignal(number)
    try:
        import pymesos
    finally:
        vars(signal)["signal"] = real_signal
    logger = logging.getLogger("pymesos")
    for handler in [h for h in logger.handlers if h not in handlers]:
        logger.removeHandler(handler)
    return pymesos


MesosSchedulerDriver: Any = _import_quietly().MesosSchedulerDriver
