"""A finding: one thing that was looked at, how it is, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing is. Only AMISS makes `doctor` fail."""

    OK = "ok"
    WARN = "warn"  # it works, and less safely or less well than it could
    AMISS = "amiss"
    UNKNOWN = "unknown"  # nobody here may or can tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`setting` names the flag, ACL or thing in `docs/mesos.md` that it is about; empty where it is none of those."""

    where: str
    what: str
    verdict: Verdict
    remedy: str = ""
    setting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who the operator is to be in Mesos, as given to `doctor`. `cluster` is None while nothing is installed."""

    role: str
    principal: str
    user: str
    with_credentials: bool
    with_tls: bool
    cluster: str | None


def judged(
    where: str, what: str, good: bool, remedy: str, *, setting: str = "", otherwise: Verdict = Verdict.AMISS
) -> Finding:
    """Return a finding that is OK where `good`, else `otherwise` with its remedy."""
    verdict = Verdict.OK if good else otherwise
    return Finding(where=where, what=what, verdict=verdict, remedy="" if good else remedy, setting=setting)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings that differ in their place alone as one, that names all places."""
    places: dict[Finding, list[str]] = {}
    for finding in findings:
        places.setdefault(replace(finding, where=""), []).append(finding.where)
    return [replace(finding, where=", ".join(dict.fromkeys(where))) for finding, where in places.items()]


def seconds_of(duration: str) -> float | None:
    """Return the seconds in a duration as Mesos writes it (`10mins`), or None where it is none."""
    number = duration.rstrip("abcdefghijklmnopqrstuvwxyz")
    size = _UNITS.get(duration.removeprefix(number))
    try:
        return float(number) * size if size is not None else None
    except ValueError:
        return None


_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "ms": 1e-3,
    "secs": 1.0,
    "mins": 60.0,
    "hrs": 3_600.0,
    "days": 86_400.0,
    "weeks": 604_800.0,
}
