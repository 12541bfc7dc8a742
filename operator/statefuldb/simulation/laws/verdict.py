"""What a run found: laws that were broken, and how often each of them was tried on something that could have."""

from dataclasses import dataclass, field

SAFETY = (
    "one_writer",
    "data_outlives_everything",
    "ours_only",
    "no_surprise_teardown",
    "bundle",
    "no_empty_resurrection",
    "secrets_stay_secret",
    "ready_is_true",
    "sane_requests",
    "no_defect",
)
LIVENESS = ("eventually_stable", "no_leak", "deletable", "explained")
NOT_CHECKED = {
    "one_primary": "needs replication",
    "budget": "needs more than one member; that running members are not stopped unasked is in no_surprise_teardown",
}


class LawBroken(BaseException):
    """A law was broken just now: the run ends here."""

    def __init__(self, law: str, message: str) -> None:
        super().__init__(law, message)
        self.law = law
        self.message = message

    def __str__(self) -> str:
        return f"{self.law}: {self.message}"


@dataclass(slots=True)
class Verdict:
    """Counts by law, and the first breach."""

    tried: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*SAFETY, *LIVENESS), 0))
    broken: LawBroken | None = None

    def judge(self, law: str, holds: bool, message: str) -> None:
        """Note that a law was tried. Raises LawBroken where it does not hold."""
        self.tried[law] += 1
        if not holds:
            raise LawBroken(law, message)
