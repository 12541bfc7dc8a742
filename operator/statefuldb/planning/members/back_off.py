"""How long to wait before the next attempt at what has failed."""


def seconds(failures: int, limit_seconds: float) -> float:
    """Return how long to wait after so many failures in a row: not at all after one, then doubled up to a limit."""
    if failures <= 1:
        return 0.0
    return min(limit_seconds, 2.0 ** min(failures - 1, 30))
