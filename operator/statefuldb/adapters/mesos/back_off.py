"""How long to wait before the next attempt to subscribe (Mesos docs, scheduler-http-api: 15 seconds at most)."""

FIRST_SECONDS = 0.5
LIMIT_SECONDS = 15.0


def back_off_seconds(failures: int, chance: float) -> float:
    """Return how long to wait after so many failures in a row: doubled each time, capped, spread by `chance` (0 to 1).

    All operators lose a master in the same moment; without the spread they would all come back in one.
    """
    limit = min(LIMIT_SECONDS, FIRST_SECONDS * 2.0 ** min(max(failures - 1, 0), 10))
    return limit * (1 + chance) / 2
