"""One run of one seed: a world, its course, its verdict."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from statefuldb.simulation.laws.liveness import come_to_rest
from statefuldb.simulation.laws.verdict import LawBroken, Verdict
from statefuldb.simulation.size import Size, size_of
from statefuldb.simulation.world import Defects, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run gave. The same seed gives the same `digest`."""

    seed: int
    verdict: Verdict
    digest: str
    story: str
    short: str
    details: str
    passes: int
    effects: int
    calls: dict[str, int]
    seen: dict[str, int]
    faults: dict[str, int]
    fired: list[str]


@contextmanager
def judged(world: World) -> Iterator[None]:
    """Note in the world's verdict which law is broken by what is done within; a defect that is logged breaks one."""
    defects = Defects()
    logger = logging.getLogger("statefuldb")
    before, logger.propagate = logger.level, False
    logger.setLevel(logging.ERROR)
    logger.addHandler(defects)
    try:
        yield
        for seen in defects.seen:
            first, *rest = seen.splitlines()
            for line in rest:
                world.story.tell("defect", line, detail=True)
            world.verdict.judge("no_defect", False, f"{first}: {rest[-1] if rest else ''}")
        world.verdict.judge("no_defect", True, "")
    except LawBroken as broken:
        world.verdict.broken = broken
        world.story.tell("LAW", str(broken))
    finally:
        logger.removeHandler(defects)
        logger.setLevel(before)
        logger.propagate = True


def run(seed: int, size: Size | None = None, *, faulty: bool = True, kept: frozenset[str] | None = None) -> Result:
    """Run one seed to its end, or to the first breach of a law; with `kept`, with those of its faults alone.

    The size is the seed's too, where none is given.
    """
    size = size or size_of(seed)
    world = World(seed, size, faulty=faulty, kept=kept)
    with judged(world):
        world.begin()
        world.pass_by(size.busy_seconds)
        come_to_rest(world)
    life = world.life
    return Result(
        seed=seed,
        verdict=world.verdict,
        digest=world.story.digest(),
        story=world.story.text(),
        short=world.story.short(str(world.verdict.broken)) if world.verdict.broken is not None else "",
        details=world.story.text(details=True),
        passes=world.passes + (life.passes if life is not None else 0),
        effects=world.effects + (life.effects if life is not None else 0),
        calls=world.calls,
        seen=world.laws.seen,
        faults=world.faults.counts if world.faults is not None else {},
        fired=world.faults.fired if world.faults is not None else [],
    )
