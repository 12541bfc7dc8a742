"""The Kubernetes API: definitions that are installed and current, rights, clocks."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from statefuldb.planning.checkup.findings import Finding, Verdict, judged

WHERE = "Kubernetes API"
SKEW_SECONDS = 5.0
INSTALL = "kubectl apply -f crds/"
POLICIES_SINCE = (1, 30)


def definition_finding(shipped: Mapping[str, Any], stored: Mapping[str, Any] | None, server: str) -> Finding:
    """Return whether a definition is there, and is the one that belongs to this version.

    `server` is the API server's version: before 1.30 it has no admission policies.
    """
    named = f"{shipped['kind']} {shipped['metadata']['name']}"
    if stored is None and shipped["kind"].startswith("ValidatingAdmissionPolicy") and _is_before_policies(server):
        what = f"{named} cannot be installed: this server has none such before Kubernetes 1.30"
        remedy = "until then only RBAC bounds who may delete databases or give data up (docs/admission.md)"
        return judged(WHERE, what, False, remedy, otherwise=Verdict.WARN)
    if stored is None:
        return judged(WHERE, f"{named} is not installed", False, INSTALL)
    current = holds(stored["spec"], shipped["spec"])
    what = f"{named} is that of this version" if current else f"{named} is that of another version"
    return judged(WHERE, what, current, INSTALL)


def _is_before_policies(server: str) -> bool:
    told = re.match(r"v?(\d+)\.(\d+)", server)
    return told is not None and (int(told[1]), int(told[2])) < POLICIES_SINCE


def holds(stored: Any, shipped: Any) -> bool:
    """Whether all that was shipped is stored as it was; a server adds its own defaults beside it."""
    if isinstance(shipped, Mapping):
        return isinstance(stored, Mapping) and all(k in stored and holds(stored[k], v) for k, v in shipped.items())
    if isinstance(shipped, list):
        same_length = isinstance(stored, list) and len(stored) == len(shipped)
        return same_length and all(holds(s, w) for s, w in zip(stored, shipped, strict=True))
    return bool(stored == shipped)


def rights_finding(whose: str, denied: Sequence[str], asked: int) -> Finding:
    """Return whether `whose` account may do all that an operator does; `denied` are the verbs that it may not."""
    what = (
        f"{whose} lacks {'; '.join(denied)}" if denied else f"{whose} may do all {asked} things that an operator does"
    )
    return judged(WHERE, what, not denied, "bind it to a role that allows them (docs/operations.md, Rights)")


def clock_finding(where: str, ahead_seconds: float | None) -> Finding:
    """Return whether a clock agrees with the one here, within what a Date header can tell."""
    if ahead_seconds is None:
        remedy = "is it reachable from here?"
        return Finding(where=where, what="does not tell its time", verdict=Verdict.UNKNOWN, remedy=remedy)
    what = f"its clock is {abs(ahead_seconds):.0f} s {'ahead of' if ahead_seconds > 0 else 'behind'} the one here"
    good = abs(ahead_seconds) <= SKEW_SECONDS
    return judged(where, "its clock agrees with the one here" if good else what, good, "run chrony or ntpd on both")
