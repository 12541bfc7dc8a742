"""One pass of the loop, whole: what was seen and what was decided, as the journal keeps it.

No type in here has a place for a password or a private key (a test walks them all), so that none can be written down.
"""

from dataclasses import dataclass
from typing import Any

from statefuldb.model.codec import decode, encode
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.settings import OperatorIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The inputs of `plan()` and what it gave."""

    observed: Observed
    offers: tuple[AgentOffer, ...]
    operator: OperatorIdentity
    plan: Plan


def to_json(recording: Recording) -> dict[str, Any]:
    """Return a recording as plain JSON."""
    return dict(encode(Recording, recording))


def from_json(stored: object) -> Recording:
    """Return the recording in JSON. Raises ValueError where it is none of this version."""
    try:
        found = decode(Recording, stored)
    except TypeError as error:
        raise ValueError(str(error)) from error
    assert isinstance(found, Recording)
    return found


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain JSON, to be compared with another."""
    return dict(encode(Plan, plan))
