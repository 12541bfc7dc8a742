"""Directories with what lies in them, whoever has them open, and the file systems that hold them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from statefuldb.simulation.clockwork.schedule import Schedule

SLOW_FACTOR = 20.0


class Holder(Protocol):
    """A process that holds a claim or has data open."""

    @property
    def name(self) -> str:
        """What it is called in a story."""
        ...

    def be_missed(self) -> None:
        """Note that it hangs from now on."""
        ...


@dataclass(slots=True, eq=False)
class Directory:
    """One member's directory: the keeper's marker, token and epoch, and the rows of the server's data.

    `launch` is the task that opened the data last, with its ledger entry.
    `claim` is whoever holds the lock, `waiting` are called when it is free, `writers` have the data open now.
    """

    place: str
    identity: dict[str, object] | None = None
    token: int = 0
    launch: tuple[str, str] = ("", "")
    epoch: int = 0
    account: str = ""
    rows: list[int] = field(default_factory=list)
    claim: Holder | None = None
    waiting: list[Callable[[], None]] = field(default_factory=list)
    writers: list[Holder] = field(default_factory=list)

    def try_take(self, holder: Holder) -> bool:
        """Take the claim if it is free."""
        if self.claim is None:
            self.claim = holder
        return self.claim is holder

    def let_go(self, holder: Holder) -> None:
        """Free the claim; whoever waits is told."""
        if self.claim in (holder, None):
            self.claim = None
            waiting, self.waiting = self.waiting, []
            for tell in waiting:
                tell()


class Watching(Protocol):
    """Whoever judges what becomes of data."""

    def opened(self, directory: Directory) -> None:
        """Data was opened for writing."""
        ...

    def initialised(self, directory: Directory, identity: dict[str, object]) -> None:
        """A directory is about to be initialised for a member."""
        ...

    def removed(self, directory: Directory, by: str) -> None:
        """A directory and all in it are about to be removed."""
        ...


class FileSystem:
    """Directories by path, of one agent's disk or of a file system that many agents mount."""

    def __init__(self, watching: Watching, schedule: Schedule) -> None:
        self._watching = watching
        self._schedule = schedule
        self.away_until = self.slow_until = 0.0
        self.directories: dict[str, Directory] = {}

    def open(self, path: str, shown: str) -> Directory:
        """Return the directory at `path`, made where there is none; `shown` is where a story says it is."""
        if path not in self.directories:
            self.directories[path] = Directory(f"{shown}:{path}")
        return self.directories[path]

    @property
    def away(self) -> bool:
        """Whether whoever uses it hangs."""
        return self._schedule.now < self.away_until

    @property
    def slowness(self) -> float:
        """How many times longer than usual all takes."""
        return SLOW_FACTOR if self._schedule.now < self.slow_until else 1.0

    def go_away(self, seconds: float) -> bool:
        """Answer nothing for a while."""
        self.away_until = max(self.away_until, self._schedule.now + seconds)
        for directory in self.directories.values():
            if directory.claim is not None:
                directory.claim.be_missed()
        return True

    def slow_down(self, seconds: float) -> bool:
        """Be slow for a while."""
        self.slow_until = max(self.slow_until, self._schedule.now + seconds)
        return True

    def remove(self, path: str, by: str) -> None:
        """Remove a directory."""
        if path in self.directories:
            self._watching.removed(self.directories[path], by)
            del self.directories[path]
