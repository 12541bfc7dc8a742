"""What a leader says as it ends because another operator has subscribed in its place."""

import pytest

from statefuldb import app


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

    monkeypatch.setattr("statefuldb.app.os._exit", end)
    with pytest.raises(SystemExit):
        app._leave_to_begin_anew(lambda: leads)
    assert [said in record.message for record in caplog.records] == [True]
