"""Deciding a recorded pass again, and saying where the two decisions differ."""

import difflib
import json

from statefuldb.model.plan import Plan
from statefuldb.model.recording import Recording, plan_json
from statefuldb.reconcile.decide import decide


def replay(recording: Recording) -> tuple[str, ...]:
    """Return the lines in which what would be decided now differs from what was decided; none where it is the same."""
    again = decide(recording.observed, recording.offers, recording.operator)
    if again == recording.plan:
        return ()
    return tuple(
        difflib.unified_diff(_lines(recording.plan), _lines(again), "as recorded", "as decided now", lineterm="", n=2)
    )


def _lines(plan: Plan) -> list[str]:
    return json.dumps(plan_json(plan), indent=2, sort_keys=True).splitlines()
