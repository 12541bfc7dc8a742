"""Commands of the operator, fenced by its epoch: an operator that has been succeeded changes nothing any more."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from statefuldb.keeper.endpoint import StaleEpoch
from statefuldb.keeper.files import read_number, write_durably
from statefuldb.keeper.server import MariaDbServer
from statefuldb.keeper.state import State


class Commands:
    """What the operator may ask for once the engine runs."""

    def __init__(self, *, state: State, epoch_file: Callable[[], Path | None]) -> None:
        self._state = state
        self._epoch_file = epoch_file
        self._lock = threading.Lock()
        self.server: MariaDbServer | None = None

    def by_path(self) -> Mapping[str, Callable[[Mapping[str, Any]], None]]:
        """Return the commands by the path they are called at."""
        return {"/v1/credentials": self.set_credentials}

    def set_credentials(self, body: Mapping[str, Any]) -> None:
        """Set the application account. Raises StaleEpoch, KeyError, ValueError, OSError."""
        with self._lock:
            self._admit(int(body["epoch"]))
            if self.server is None:
                raise OSError("the engine does not run yet")
            self.server.set_account(str(body["username"]), str(body["password"]), str(body["database"]))
            self._state.update(credentials_revision=str(body["revision"]))

    def _admit(self, epoch: int) -> None:
        path = self._epoch_file()
        if path is None:
            raise OSError("the claim is not held")
        highest = read_number(path)
        if epoch < highest:
            raise StaleEpoch(f"epoch {epoch} is over: {highest} was seen")
        if epoch > highest:
            write_durably(path, str(epoch))
