"""What the embedded server may answer differently from a real one to sequences by chance, each with its reason.

That one takes what the other refuses is never allowed, but for what is named here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.kubernetes.differential.steps import Request
from conformance.kubernetes.recorded.comparing import Difference

REFUSED = 400


@dataclass(frozen=True)
class Exchange:
    """A request, and the status that each server answered with."""

    request: Request
    real: int
    given: int

    @property
    def both_refused(self) -> bool:
        """Whether neither did what was asked for."""
        return self.real >= REFUSED and self.given >= REFUSED


@dataclass(frozen=True)
class Allowed:
    """Differences at paths that a pattern matches from their beginning, where `when` holds.

    A sequence cannot go on after one that `ends` it: all that follows differs too.
    """

    path: str
    reason: str
    when: Callable[[Exchange, Difference], bool] = lambda exchange, one: True
    ends: bool = False

    def covers(self, exchange: Exchange, one: Difference) -> bool:
        """Say whether a difference is this one."""
        return bool(re.match(self.path, one.path)) and self.when(exchange, one)


# Words of Go's own parsers, and of types of Go, in what a real server says.
_GO = re.compile(
    r"json: |cannot be handled as|couldn't get version/kind|decoding|strconv|base64|parsing time|typed patch object"
    r"|undeterminable|Not Acceptable|Unsupported Media|known field selector|StorageError|patch: Invalid value"
    r"|unknown format|parse requirement|no kind .* ?is registered|selector|path segment content|evaluating rule"
    r"|apiVersion|found '.*', expected|unrecognized type|cannot convert|cannot restore struct|yaml: |'Kind' is missing"
)


def _by_go(exchange: Exchange, one: Difference) -> bool:
    return exchange.both_refused and bool(_GO.search(str(one.recorded)))


def _refused_otherwise(exchange: Exchange, one: Difference) -> bool:
    return exchange.both_refused and exchange.real != exchange.given


def _asks(text: str) -> Callable[[Exchange, Difference], bool]:
    return lambda exchange, one: text in exchange.request.path


def _of_many(exchange: Exchange, one: Difference) -> bool:
    path = exchange.request.path.partition("?")[0]
    return exchange.request.method == "DELETE" and not re.search(r"/[a-z-]*\b[abc]$", path)


def _copies(exchange: Exchange, one: Difference) -> bool:
    body: Any = exchange.request.body
    return isinstance(body, list) and any(isinstance(step, dict) and step.get("op") == "copy" for step in body)


def _forgets_owners(exchange: Exchange, one: Difference) -> bool:
    left_out = "spec" if "/status" in exchange.request.path else "status"
    return one.recorded is None and left_out in str(exchange.request.body)


def _twice(exchange: Exchange, one: Difference) -> bool:
    body: Any = exchange.request.body
    about = body.get("metadata") if isinstance(body, dict) else None
    finalizers = about.get("finalizers") if isinstance(about, dict) else None
    return isinstance(finalizers, list) and any(finalizers.count(name) > 1 for name in finalizers)


def _same_number(exchange: Exchange, one: Difference) -> bool:
    return isinstance(one.given, float) and isinstance(one.recorded, int) and float(one.recorded) == one.given


def _of_the_beginning(exchange: Exchange, one: Difference) -> bool:
    return "resourceVersion=1&" in exchange.request.path and (exchange.real, exchange.given) == (200, 410)


ALLOWED: tuple[Allowed, ...] = (
    Allowed("body.message|body.details.causes", "the text of Go's own parsers is for people", _by_go),
    Allowed("", "several things are wrong: which of them is told, and by which code", _refused_otherwise),
    Allowed("", "no client sends a version that is no number", _asks("resourceVersion=x")),
    Allowed("warnings", "a refusal comes before the body is looked at", lambda e, one: e.both_refused),
    Allowed("body.details", "details that say nothing", lambda e, one: one.recorded in ({}, None) and e.both_refused),
    Allowed(
        r".*resourceVersion$",
        "a status that is there by default is stored with the first write after the creation: a version more",
        _asks("/statefuldatabases"),
    ),
    Allowed("", "no client asks for application/* alone", lambda e, one: e.request.accept == "application/*"),
    Allowed(
        "body.details.causes",
        "the type of what is no integer is named in another way",
        lambda e, one: "must be of type int" in str(one.recorded),
    ),
    Allowed(".*f:stringData", "stringData is owned as such; nobody applies it", lambda e, one: True),
    Allowed("body.(details|message)", "a policy that refuses one of many deletions is told of in a cause", _of_many),
    Allowed(
        r"events\.\d+\.object\.(involvedObject|source|reporting|roleRef|spec|status)",
        "a bookmark of a built-in kind has empty fields beside its version",
    ),
    Allowed("body.details.causes", "a real server checks little of an Event's metadata", _asks("/events")),
    Allowed(
        "body.details.causes",
        "a number too large for an integer has a cause more",
        lambda e, one: "Checked value must be of type integer" in str(one.recorded),
    ),
    Allowed("body.message", "405 says no more than 405", lambda e, one: (e.real, e.given) == (405, 405)),
    Allowed(
        "warnings",
        "a status is left out of a write of its object before its fields are looked at",
        lambda e, one: "status" in str(one.recorded) or "/status" in e.request.path,
    ),
    Allowed("", "a JSON patch that copies what is absent copies a null", _copies),
    Allowed(
        r"body\.metadata\.managedFields$",
        "a part of another type, which a write leaves out, has a real server forget who owns what",
        _forgets_owners,
        ends=True,
    ),
    Allowed(r"body\.metadata\.managedFields", "who owns a finalizer that is there twice", _twice, ends=True),
    Allowed(r".*managedFields.*\.f:finalizers(\.|$)", "who owns what was applied as null"),
    Allowed("", "a whole number with a point is shown without it, or a large one with all digits", _same_number),
    Allowed("warnings", "what a Scale does not have is not told of", _asks("/scale")),
    Allowed("", "a real server may know of what was before the first write", _of_the_beginning),
)


def found_in(exchange: Exchange, one: Difference) -> Allowed | None:
    """Return which of those a difference is."""
    return next((each for each in ALLOWED if each.covers(exchange, one)), None)
