"""Ledger entries: one that serves on each strategy, as the planner makes it."""

from dataclasses import replace

from statefuldb.model.spec import DiskType, Strategy
from statefuldb.model.volume import Ending, Fencing, GivingBack, Growth, VolumeDisk, VolumeRecord
from unit.planning.world import serving_on


def full(strategy: Strategy) -> VolumeRecord:
    """Return an entry with every field set."""
    record = serving_on(strategy)[0]
    assert record.launch is not None
    return replace(
        record,
        launch=replace(record.launch, restarted_at="2026-01-01", refusal="token 3 is lower than 4", short=True),
        ending=Ending(incarnation=1, state="TASK_FAILED", reason="REASON_X", message="m", at_seconds=1.5),
        fencing=Fencing(incarnation=1, by="ada", lost_at_seconds=1.25),
        disk=VolumeDisk(type=DiskType.PATH, root="/data/0", static_role="mysql"),
        growth=Growth(size_bytes=2**40, restarted_at="2026-01-01", attempts=2),
        giving_back=GivingBack(attempts=3, at_seconds=2.25, refusal="not authorized"),
        elsewhere=("agent-2",),
        superseded=("agent-3",),
        made_with={"innodb_page_size": "32k"},
        released_at_seconds=2.5,
        released_by_framework="framework-0",
    )
