"""How large a world is, how busy, and how varied."""

from dataclasses import dataclass, replace

from statefuldb.simulation.clockwork.dice import Dice

LEAST, MOST = 5, 50
WORKERS = (2, 3, 8)
LATENCY_SECONDS = 0.01
LATENCIES_SECONDS = (LATENCY_SECONDS, 0.1, 1.0)
KINDS_OF_STRIKES = (0, 3, 5, 8)
# How many of a thousand seeds have so many agents, and so many databases: large worlds are dear, and seldom tell more.
AGENTS = ((500, 5, 5), (400, 6, 12), (100, 13, MOST))
DATABASES = ((900, 5, 7), (90, 8, 16), (10, 17, MOST))


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a world is made of. In one that is `varied` machines differ, and people do all that people do.

    With more than one of its `workers`, the operator does several things at a time, as a real one does. An ordinary
    request takes up to `latency_seconds`. With `copies` people copy entries of the ledger where they do not belong.
    What is fenced ends at once or, where it `hangs`, goes on once it is let in again, as on a hard mount of NFS.
    With `kinds_of_strikes` only so many kinds of them happen, else all. With `restores` the API is, now and then,
    restored from a backup; with `turns_away` it answers the operator, for a while, as if it knew neither that nor us.
    """

    agents: int = 5
    databases: int = 6
    busy_seconds: float = 180.0
    pause_seconds: float = 10.0
    varied: bool = False
    workers: int = 1
    latency_seconds: float = LATENCY_SECONDS
    copies: bool = False
    hangs: bool = False
    kinds_of_strikes: int = 0
    restores: bool = False
    turns_away: bool = False


def size_of(seed: int) -> Size:
    """Return the size of the world that a seed stands for, by dice of its own."""
    dice = Dice(~seed)
    return Size(
        agents=_drawn(dice, AGENTS),
        databases=_drawn(dice, DATABASES),
        varied=True,
        workers=dice.pick(WORKERS),
        latency_seconds=dice.pick(LATENCIES_SECONDS),
        hangs=dice.happens(0.5),
        kinds_of_strikes=dice.pick(KINDS_OF_STRIKES),
        copies=dice.happens(0.1),
        restores=dice.happens(0.1),
        turns_away=dice.happens(0.1),
    )


def with_one_worker(size: Size) -> Size:
    """Return a world in which the operator does one thing at a time, as all did once."""
    return replace(without_hanging(size), workers=1, latency_seconds=LATENCY_SECONDS)


def without_hanging(size: Size) -> Size:
    """Return a world in which what is fenced ends at once, as it did in all once."""
    return replace(with_all_strikes(size), hangs=False)


def with_all_strikes(size: Size) -> Size:
    """Return a world in which all kinds of strikes happen, and people copy nothing, as it was in all once."""
    return replace(without_restoring(size), kinds_of_strikes=0, copies=False)


def without_restoring(size: Size) -> Size:
    """Return a world whose API is never restored from a backup, as it was in all once."""
    return never_turned_away(replace(size, restores=False))


def never_turned_away(size: Size) -> Size:
    """Return a world whose API always knows the operator, as it did in all once."""
    return replace(size, turns_away=False)


def _drawn(dice: Dice, shares: tuple[tuple[int, int, int], ...]) -> int:
    drawn = dice.below(sum(share for share, _, _ in shares))
    for share, low, high in shares:
        if drawn < share:
            return low + dice.below(high - low + 1)
        drawn -= share
    raise AssertionError(drawn)
