"""The comparison itself: what differs between two masters is shown, and what is normalised is not (recording.py)."""

from typing import Any

import pytest

from conformance.mesos.recording import Recording, differences

MASTERS = ("0a0a0a0a-0000-4000-8000-000000000001", "0b0b0b0b-0000-4000-8000-000000000002")


def seen(master: str, *, port: int = 5050, status: int = 202, **changes: Any) -> Recording:
    """Return what one test saw on a master of this id."""
    one = Recording()
    one.call({"type": "ACCEPT", "accept": {"offer_ids": [{"value": f"{master}-O7"}]}}, status, "")
    told = {
        "task_id": {"value": "t"},
        "state": "TASK_ERROR",
        "message": f"Task uses invalid agent x while agent {master}-S0 is expected",
        "agent_id": {"value": f"{master}-S0"},
        "timestamp": float(port),
        **changes,
    }
    one.event({"type": "UPDATE", "update": {"status": told}})
    one.seen("agent", {"pid": f"slave(1)@127.0.0.1:{port}", "port": port})
    return one


def test_ids_times_and_places_are_no_difference() -> None:
    assert not differences(seen(MASTERS[0]), seen(MASTERS[1], port=6060), ("one", "other"))


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"message": "Task uses no resources"}, '"message": "Task uses no resources"'),
        ({"state": "TASK_DROPPED"}, '"state": "TASK_DROPPED"'),
        ({"reason": "REASON_TASK_INVALID"}, '"reason": "REASON_TASK_INVALID"'),
        ({"status": 400}, '"status": 400'),
    ],
    ids=["a text", "a state", "a field", "a code"],
)
def test_any_other_difference_is_printed(changes: dict[str, Any], shown: str) -> None:
    said = differences(seen(MASTERS[0]), seen(MASTERS[1], **changes), ("one", "other"))
    assert said.startswith("--- one\n+++ other\n")
    assert any(line.startswith("+") and line[1:].strip(" ,") == shown for line in said.splitlines())
