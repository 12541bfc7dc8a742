"""Which of several operators is active: the rules of a Lease, without I/O and without trust in anybody's clock.

As client-go's LeaderElector does it: what is written in a Lease as times is for people. Whether its holder still
lives is told by one's own clock alone, from the moment at which one saw the Lease change. Stricter than client-go in
one point: a Lease that is not there may have been deleted beside a living leader, and no version says so when another
is created. Its leader gets time to write it again, and who created one leads only after it has stood for as long as
any other that is taken.

Times are seconds of one clock of this machine that never goes back.
"""

from dataclasses import dataclass

LEASE_SECONDS = 6
RENEW_SECONDS = 4.0
PERIOD_SECONDS = 1.0
# Twice the period: so long has a Lease to be missing before another than its leader creates it.
MISSING_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A Lease as it is stored. `holder` is "" where it was given back; `version` changes with each write."""

    holder: str
    version: str
    duration_seconds: float


class Election:
    """What one candidate knows. It leads for a time that each confirmed write prolongs.

    A rival may take the Lease `LEASE_SECONDS` after it saw the last write, hence after that write was sent; the leader
    ends its work `RENEW_SECONDS` after it was sent. The difference is for requests that are on their way.
    """

    def __init__(self, me: str) -> None:
        self.me = me
        self._seen: Record | None = None
        self._seen_at: float | None = None
        self._leads_until: float | None = None
        self._taken = False

    def observe(self, record: Record | None, now: float) -> None:
        """Take in what is stored, None where there is no Lease. `now` is after it was read."""
        if self._seen_at is None or record != self._seen:
            self._seen, self._seen_at = record, now
        if self._leads_until is not None and record is not None and record.holder != self.me:
            self._taken = True

    def may_write(self, now: float) -> bool:
        """Say whether the Lease as it was seen is this candidate's to take or to renew."""
        if self._seen_at is None:
            return False
        if self._leads_until is not None:
            return self.leads(now)
        if self._seen is not None and not self._seen.holder:
            return True
        duration = MISSING_SECONDS if self._seen is None else max(self._seen.duration_seconds, LEASE_SECONDS)
        return now >= self._seen_at + duration

    def written(self, sent: float, now: float) -> None:
        """Take in that a write of this candidate, sent at `sent`, is confirmed."""
        created = self._seen is None and self._leads_until is None
        if not created and (self._leads_until is None or self.leads(now)):
            self._leads_until = sent + RENEW_SECONDS

    def leads(self, now: float) -> bool:
        """Say whether this candidate leads."""
        return self._leads_until is not None and not self._taken and now < self._leads_until

    def lost(self, now: float) -> bool:
        """Say whether this candidate led and does no longer; it never will again."""
        return self._leads_until is not None and not self.leads(now)

    def seconds_left(self, now: float) -> float:
        """Return for how long this candidate leads if nothing more is confirmed."""
        return self._leads_until - now if self._leads_until is not None and self.leads(now) else 0.0
