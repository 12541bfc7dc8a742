"""How long to wait before the next attempt to reach what does not answer.

Fifteen seconds at most: what the Mesos documentation (scheduler-http-api) asks for between two subscriptions.
"""

FIRST_SECONDS = 0.5
LIMIT_SECONDS = 15.0


def back_off_seconds(failures: int, chance: float) -> float:
    """Return how long to wait after so many failures in a row: doubled each time, capped, spread by `chance` (0 to 1).

    All operators lose a server in the same moment; without the spread they would all come back in one.
    """
    limit = min(LIMIT_SECONDS, FIRST_SECONDS * 2.0 ** min(max(failures - 1, 0), 10))
    return limit * (1 + chance) / 2
