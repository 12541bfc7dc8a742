"""When a simulated keeper answers nobody, and when whoever follows it notices."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from statefuldb.adapters.keeper.listening import LOOK_SECONDS, SILENT_SECONDS

if TYPE_CHECKING:
    from statefuldb.simulation.cluster.host import Host

# When an operator has noticed at the latest that a keeper gives no signs of life.
MISSED_SECONDS = LOOK_SECONDS + SILENT_SECONDS


class Silence:
    """The silence of one keeper: it hangs by itself, on a file system that is away, or on one that lets it in no more.

    `lost` is that last one; `tell` has whoever follows the keeper look at it.
    """

    def __init__(self, host: "Host", *, on_shared: bool, tell: Callable[[], None]) -> None:
        self._host = host
        self._on_shared = on_shared
        self._tell = tell
        self.lost = False
        self._hangs_until = 0.0
        self._missed_at = float("inf")

    @property
    def lasts(self) -> bool:
        """Whether the keeper answers nobody now."""
        away = self._on_shared and self._host.shared is not None and self._host.shared.away
        return away or self.lost or self._host.schedule.now < self._hangs_until

    @property
    def seconds(self) -> float:
        """For how long it has answered nobody."""
        return self._host.schedule.now - self._missed_at if self.lasts else 0.0

    def begin(self, seconds: float) -> None:
        """Have it answer nobody for a while."""
        self._hangs_until = self._host.schedule.now + seconds
        self.be_missed()

    def be_missed(self) -> None:
        """Have whoever follows it notice in a while that it gives no signs of life, if it gives none by then."""
        self._missed_at = self._host.schedule.now

        def notice() -> None:
            if self.lasts or not self._host.network:
                self._tell()

        self._host.schedule.after(MISSED_SECONDS, notice)
