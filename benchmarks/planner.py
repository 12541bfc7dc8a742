"""Passes per second for one database: deciding alone, from a snapshot to a checked plan."""

from dataclasses import replace

from measuring import median_seconds, table, write

from statefuldb.model.actions import AcceptOffers, Action, KillTask, SaveVolume
from statefuldb.model.canonical import canonical
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.recording import Recording
from statefuldb.model.spec import Strategy
from statefuldb.reconcile.decide import decide
from statefuldb.reconcile.report import journal_entry, status_of_plan
from unit.planning.world import OPERATOR, database, observed, offer, running, serving_on, spec

PASSES = 500
OFFERED: Offers = tuple(offer(f"agent-{n}") for n in range(16))
SERVING, LEFT, _ = serving_on(Strategy.PERSISTENT_VOLUME)


def begun() -> Observed:
    """A database of which nothing is there yet."""
    return observed(database=database(spec=canonical(spec())))


def steady() -> Observed:
    """The database when it is Ready, with the status that was published."""
    seen = replace(running(SERVING), database=database(spec=canonical(spec())))
    assert seen.database is not None
    status = status_of_plan(seen, decide(seen, (), OPERATOR))
    return replace(seen, database=replace(seen.database, status=status))


def edited() -> Observed:
    """The same after an edit of its cpus, which takes a planned restart."""
    seen, more = steady(), replace(spec().resources, cpus_milli=700)
    assert seen.database is not None
    changed = replace(seen.database, generation=2, spec=canonical(spec(resources=more)))
    return replace(seen, database=changed)


def cases() -> tuple[tuple[str, Observed, Offers, tuple[type[Action], ...]], ...]:
    """What is measured: its name, what is seen and offered, and what kinds of actions are decided on."""
    return (
        ("steady: Ready, nothing to do", steady(), (), ()),
        ("in change: first launch, 16 offers", begun(), OFFERED, (SaveVolume, AcceptOffers)),
        ("in change: edit of cpus, planned restart", edited(), (LEFT,), (KillTask,)),
    )


def main() -> None:
    """Measure, and write the results down."""
    rows = []
    for name, seen, offers, kinds in cases():
        decided = decide(seen, offers, OPERATOR)
        assert tuple(map(type, decided.actions)) == kinds, decided
        recording = Recording(observed=seen, offers=offers, operator=OPERATOR, plan=decided)

        def passes(seen: Observed = seen, offers: Offers = offers) -> None:
            for _ in range(PASSES):
                decide(seen, offers, OPERATOR)

        def reports(recording: Recording = recording) -> None:
            for _ in range(PASSES):
                status_of_plan(recording.observed, recording.plan)
                if recording.plan.actions:
                    journal_entry(recording)

        rate = PASSES / median_seconds(passes)
        rows.append((name, f"{rate:,.0f}", f"{1e6 / rate:,.0f}", f"{1e6 * median_seconds(reports) / PASSES:,.0f}"))
    said = (
        "One database on one core, in CPU time: median of five rounds of 500 passes. Deciding is parsing the spec, "
        "`plan()` and the check of the laws; reporting is rendering the status and, where there are actions, the line "
        "of the journal.\n"
    )
    bound = (
        "\nWhat bounds it: building frozen dataclasses in Python; for a steady database, parsing the spec and the "
        "accepted one; for a launch, completing the bundle and, in the report, encoding the whole pass.\n"
    )
    header = ("database", "passes per second", "µs to decide", "µs to report")
    write("planner", "Planner: one database", [said, table(header, rows), bound])


if __name__ == "__main__":
    main()
