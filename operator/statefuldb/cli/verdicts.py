"""What the operator says of databases that were just stored: an edit can be stored and refused all the same."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from statefuldb.cli.progress import Progress
from statefuldb.cli.session import Session
from statefuldb.cli.showing import condition

POLL_SECONDS = 0.1
Named = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a database is accepted as it is stored, and why not; None while nobody has said."""

    accepted: bool | None = None
    message: str = ""


def await_verdicts(session: Session, named: Sequence[Named], seconds: float) -> dict[Named, Verdict]:
    """Return the verdict on each database (namespace and name) as it is stored now, for which `seconds` are waited."""
    found = dict.fromkeys(named, Verdict())
    deadline = time.monotonic() + seconds
    with Progress("waiting for the operator's verdict"):
        while True:
            for each in named:
                if found[each].accepted is None:
                    found[each] = _verdict(session, *each)
            if all(verdict.accepted is not None for verdict in found.values()) or time.monotonic() > deadline:
                return found
            time.sleep(POLL_SECONDS)


def _verdict(session: Session, namespace: str, name: str) -> Verdict:
    stored = session.client.get("StatefulDatabase", namespace, name)
    if stored is None:
        return Verdict(False, "it was deleted meanwhile")
    held = condition(stored, "Accepted")
    if held.get("observedGeneration") != stored["metadata"]["generation"] or held.get("status") == "Unknown":
        return Verdict()
    return Verdict(held["status"] == "True", str(held.get("message", "")))
