"""How long to wait before the next attempt at what was in vain."""

FIRST_SECONDS = 0.5
# To reach what does not answer; the Mesos documentation (scheduler-http-api) asks for no more between subscriptions.
LIMIT_SECONDS = 15.0


def doubled_seconds(times: int, limit_seconds: float) -> float:
    """Return how long to wait after something was in vain so many times in a row: doubled each time, up to a limit."""
    return min(limit_seconds, FIRST_SECONDS * 2.0 ** min(max(times - 1, 0), 10))


def back_off_seconds(failures: int, chance: float) -> float:
    """Return how long to wait after so many failures in a row: doubled each time, capped, spread by `chance` (0 to 1).

    All operators lose a server in the same moment; without the spread they would all come back in one.
    """
    return doubled_seconds(failures, LIMIT_SECONDS) * (1 + chance) / 2
