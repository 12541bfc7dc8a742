"""What the operator takes out of a keeper's refusal, and that neither believes the other's clock."""

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType

import pytest

from statefuldb.adapters.keeper import operator_identity
from statefuldb.adapters.keeper.client import KeeperClient, epoch_seen
from statefuldb.keeper import certificate
from statefuldb.keeper.endpoint import Endpoint
from statefuldb.keeper.state import State


@pytest.mark.parametrize(
    ("refusal", "seen"),
    [
        ('{"error": "epoch 7 is over: 1800000000 was seen"}', 1_800_000_000),
        ("another refusal", None),
        # Written into the operator's record, it would keep every operator from beginning: no int is read of so many.
        (f"epoch 7 is over: {'9' * 5_000} was seen", None),
    ],
)
def test_the_epoch_that_a_keeper_has_seen_is_told_by_its_refusal(refusal: str, seen: int | None) -> None:
    assert epoch_seen(refusal) == seen


@pytest.mark.parametrize("whose", [certificate, operator_identity])
@pytest.mark.parametrize("ahead_days", [-5_000, 3])
def test_a_clock_that_is_wrong_keeps_nobody_out(
    whose: ModuleType, ahead_days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool went by the pin alone, commands by the time as well: a database that served never had its account."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=ahead_days)

    monkeypatch.setattr(whose, "datetime", Wrong)
    identity = operator_identity.make_identity()
    (tmp_path / "identity.pem").write_text(identity.client_pem)
    context, pinned = certificate.server_context("sdb.u.0.1", identity.ca_pem)
    one = Endpoint(("127.0.0.1", 0), context=context, state=State("sdb.u.0.1"), commands={"/v1/credentials": print})
    one.start()
    try:
        client = KeeperClient(
            address="127.0.0.1", port=one.server_port, pinned_pem=pinned, identity=tmp_path / "identity.pem"
        )
        client.set_credentials(epoch=1, revision="1", username="orders", password="secret", database="orders")
    finally:
        one.shutdown()
        one.server_close()
