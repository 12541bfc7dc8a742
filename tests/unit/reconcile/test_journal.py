"""The journal holds enough to decide a pass again, stays small, and loses no line when it begins anew."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from statefuldb.adapters.journal import FileJournal, JournalReader
from statefuldb.model.canonical import canonical
from statefuldb.model.observed import Observed
from statefuldb.model.recording import Recording, from_json
from statefuldb.model.spec import Strategy
from statefuldb.reconcile.decide import decide
from statefuldb.reconcile.replay import replay
from statefuldb.reconcile.report import journal_entry
from unit.planning.world import OPERATOR, database, observed, offer, spec

KIBIBYTE = 1024


def first_launch(strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> Recording:
    wanted = canonical(spec(strategy))
    seen: Observed = observed(database=database(spec=wanted))
    offers = (offer(), offer("agent-2"), offer("agent-3"))
    return Recording(observed=seen, offers=offers, operator=OPERATOR, plan=decide(seen, offers, OPERATOR))


def written(recording: Recording) -> Recording:
    return from_json(json.loads(json.dumps(journal_entry(recording)))["pass"])


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_recorded_pass_decides_the_same_again(strategy: Strategy) -> None:
    recording = first_launch(strategy)
    assert recording.plan.actions
    assert written(recording) == recording
    assert replay(written(recording)) == ()


def test_another_decision_is_shown_with_its_difference() -> None:
    recording = written(first_launch())
    other = replace(recording, plan=replace(recording.plan, look_again_after_seconds=7.5, actions=()))
    difference = "\n".join(replay(other))
    assert "-  " in difference
    assert "reserve and launch orders-0" in difference
    assert '"look_again_after_seconds": 7.5' in difference


def test_the_line_of_a_launch_is_small() -> None:
    assert len(json.dumps(journal_entry(first_launch()))) < 13 * KIBIBYTE


def entry(number: int) -> dict[str, object]:
    return {"key": "shop/orders", "number": number}


def numbers(reader: JournalReader) -> list[int]:
    return [line.entry["number"] for line in reader.lines() if line.entry is not None]


def test_a_reader_goes_on_where_it_left_off_also_when_the_journal_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal, reader = FileJournal(path, limit_bytes=100), JournalReader(path)
    journal.append(entry(1))
    assert numbers(reader) == [1]
    for number in range(2, 6):
        journal.append(entry(number))
    assert path.with_suffix(".old.jsonl").exists()
    assert numbers(reader) == [2, 3, 4, 5]
    assert numbers(reader) == []
    assert numbers(JournalReader(path)) == [1, 2, 3, 4, 5]


def test_a_line_that_was_cut_off_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = FileJournal(path)
    journal.append(entry(1))
    with path.open("a") as file:
        file.write('{"key": "shop')
    reader = JournalReader(path)
    assert [line.number for line in reader.lines()] == [1]
    journal.append(entry(2))
    journal.append(entry(3))
    rest = list(reader.lines())
    assert [(line.number, line.entry) for line in rest] == [(2, None), (3, entry(2)), (4, entry(3))]


def test_a_journal_that_cannot_be_written_stops_no_pass(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    FileJournal(tmp_path / "missing" / "journal.jsonl").append(entry(1))
    assert "cannot be written" in caplog.text
