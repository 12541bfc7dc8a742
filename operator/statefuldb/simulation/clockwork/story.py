"""What happened in a run, in order: the lines that people read, and one digest over all of it."""

import hashlib
import re

from statefuldb.simulation.clockwork.schedule import BEGINNING, Schedule

# The names in a story by which one of its lines is about the same as another: databases, agents, data identities.
_NAMES = re.compile(r"db\d+|agent-\d+|[0-9a-f]{8}(?=-[0-9a-f]{4})")
_EVERYONE = ("people", "fault", "fence", "LAW")
SHORT_LINES = 28


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

    def short(self, about: str) -> str:
        """Return the last few lines that name what `about` names; where there are none, what befell everyone."""
        names = set(_NAMES.findall(about))
        named = [line for line, _ in self.lines if any(name in line for name in names)]
        told = [line for line, _ in self.lines if line[12:].startswith(_EVERYONE)]
        found = named if len(named) > 1 else told
        return "\n".join(found[-SHORT_LINES:])

    def text(self, *, details: bool = False) -> str:
        """Return the lines."""
        return "\n".join(line for line, detail in self.lines if details or not detail)
