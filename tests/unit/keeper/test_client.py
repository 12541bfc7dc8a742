"""What the operator takes out of a keeper's refusal."""

import pytest

from statefuldb.adapters.keeper.client import epoch_seen


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
