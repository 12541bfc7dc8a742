"""What happened in a run, in order: the lines that people read, and one digest over all of it."""

import hashlib

from statefuldb.simulation.schedule import BEGINNING, Schedule


class Story:
    """The lines of one run. Those told as `detail` are in the digest, and shown only where asked for."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._digest = hashlib.sha256()
        self.lines: list[tuple[str, bool]] = []

    def tell(self, who: str, what: str, *, detail: bool = False) -> None:
        """Note that `who` did `what` now."""
        line = f"{self._schedule.now - BEGINNING:10.3f}  {who:<12} {what}"
        self._digest.update(line.encode() + b"\n")
        self.lines.append((line, detail))

    def digest(self) -> str:
        """Return what two runs have in common if and only if all their lines are the same."""
        return self._digest.hexdigest()

    def text(self, *, details: bool = False) -> str:
        """Return the lines."""
        return "\n".join(line for line, detail in self.lines if details or not detail)
