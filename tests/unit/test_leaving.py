"""What an operator says as it ends: another one has subscribed in its place, or the API was restored under it."""

import pytest

from statefuldb import leaving
from unit.kubernetes.test_framework import Api, record_in


@pytest.mark.parametrize(
    ("leads", "said"),
    [(True, "another operator, which does not hold the Lease, has subscribed"), (False, "the Lease is lost")],
)
def test_it_names_the_lease_where_that_was_lost_before(
    leads: bool, said: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was stopped for longer than its Lease may hear of its successor from Mesos first."""

    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr("statefuldb.leaving.os._exit", end)
    with pytest.raises(SystemExit):
        leaving.leave_to_begin_anew(lambda: leads)
    assert [said in record.message for record in caplog.records] == [True]


def test_that_the_api_was_restored_is_written_down_before_it_ends(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr("statefuldb.leaving.os._exit", end)
    api = Api([])
    for record, restored_at in ((record_in(api), 1_000), (record_in(api), 1_001)):
        record.begin(lambda: None)
        with pytest.raises(SystemExit):
            leaving.leave_to_read_anew(record)
        assert api.record is not None
        assert api.record["data"]["restoredAt"] == str(restored_at)
        assert api.record["data"]["epoch"]
    assert "the API was restored from a backup while this operator ran" in caplog.text
    api.record = None
    with pytest.raises(SystemExit):
        leaving.leave_to_read_anew(record_in(api))


@pytest.mark.parametrize("leads", [True, False])
def test_one_that_stands_by_writes_it_down_and_goes_on(leads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("statefuldb.leaving.os._exit", ended.append)
    api = Api([])
    record_in(api).begin(lambda: None)
    leaving.note_restored(record_in(api), lambda: leads)
    assert api.record is not None
    assert api.record["data"]["restoredAt"] == "1000"
    assert bool(ended) is leads


def test_a_clock_that_is_behind_puts_no_restore_back_that_another_has_written_down() -> None:
    api = Api([])
    record_in(api).begin(lambda: None)
    assert api.record is not None
    api.record["data"]["restoredAt"] = "5000"
    record_in(api).note_restored()
    assert api.record["data"]["restoredAt"] == "5000"
