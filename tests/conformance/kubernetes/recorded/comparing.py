"""A recorded answer against one just given: leaf by leaf, with what differs from run to run bound or made plain."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"(rv|uid)\d+")
_GENERATED = re.compile(r"(gen-|kopf-event-)[a-z0-9]{5}")
_AGE = re.compile(r"\d+[smh]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_TIME_FINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_CUT = re.compile(r"(.*)\.\.\.\[\d+\]", re.DOTALL)
_RUN_DEPENDENT = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"(current: |record \(|RV \(|version: \d+ \()\d+"), r"\1N"),
    (re.compile(r"resource version: \d+"), "resource version: RV"),
    (_TIME_FINE, "TIME.us"),
    (_TIME, "TIME"),
    (_GENERATED, r"\1GENERATED"),
)


@dataclass(frozen=True)
class Difference:
    """One leaf that is not as recorded. `path` is dotted; list positions are numbers."""

    path: str
    recorded: Any
    given: Any


@dataclass
class Comparison:
    """Compares answers of one run. Tokens of the recording are bound to the values that stand in their place.

    `one_to_one` is whether a value may stand in the place of one token only.
    """

    one_to_one: bool = False
    assertions: int = 0
    bound: dict[str, Any] = field(default_factory=dict)
    meant: dict[Any, str] = field(default_factory=dict)

    def differences(self, recorded: Any, given: Any, path: str = "", *, cut: bool = False) -> Iterator[Difference]:
        """Yield every leaf that differs. `cut`: the recorded value breaks off in the last thing that it has."""
        if isinstance(recorded, dict) and isinstance(given, dict):
            names = list(recorded) if cut else sorted({*recorded, *given})
            for name in names:
                here = f"{path}.{name}".lstrip(".")
                yield from self.differences(recorded.get(name), given.get(name), here, cut=cut and name == names[-1])
        elif isinstance(recorded, list) and isinstance(given, list) and _pairable(recorded, given, cut=cut):
            if path.endswith("managedFields"):  # sorted by second: which comes first depends on where one ends
                recorded, given = sorted(recorded, key=_owner), sorted(given, key=_owner)
            for index, pair in enumerate(zip(recorded, given, strict=False)):
                last = cut and index == len(recorded) - 1
                yield from self.differences(*pair, f"{path}.{index}", cut=last)
        else:
            self.assertions += 1
            if not self._same(recorded, given, path):
                yield Difference(path, recorded, given)

    def projected(self, recorded: Any, given: Any) -> Iterator[Difference]:
        """Compare where the recorder may have kept some top-level fields only: it then left out apiVersion."""
        if isinstance(recorded, dict) and isinstance(given, dict) and "apiVersion" not in recorded:
            given = {name: given.get(name) for name in recorded}
        yield from self.differences(recorded, given)

    def text(self, recorded: str, given: Any) -> Iterator[Difference]:
        """Compare an answer with the recorded text of one, whole or cut."""
        cut = _CUT.fullmatch(recorded)
        if cut is None:
            yield from self.projected(json.loads(recorded), given)
        else:
            yield from self.differences(mended(cut[1]), given, cut=True)

    def _same(self, recorded: Any, given: Any, path: str) -> bool:
        name = path.rsplit(".", 1)[-1]
        if recorded == "TIME" or recorded == "TIME.us":
            return isinstance(given, str) and bool((_TIME if recorded == "TIME" else _TIME_FINE).fullmatch(given))
        if recorded == "CONTINUE":
            return isinstance(given, str) and given != ""
        if name == "managedFields" and isinstance(recorded, str):
            return recorded == f"<{len(given or ())}>"
        if isinstance(recorded, str) and isinstance(given, str):
            if _TOKEN.fullmatch(recorded) or (_GENERATED.fullmatch(recorded) and _GENERATED.fullmatch(given)):
                return self._bound(recorded, given)
            if name == "resourceVersion" and recorded.isdigit():
                return given.isdigit()
            if "cells" in path and _AGE.fullmatch(recorded):
                return bool(_AGE.fullmatch(given))
            return plain(recorded) == plain(given)
        return type(recorded) is type(given) and bool(recorded == given)

    def _bound(self, token: str, given: str) -> bool:
        """Bind a token to what stands in its place; say whether it means that still."""
        alone = not self.one_to_one or self.meant.setdefault(given, token) == token
        return self.bound.setdefault(token, given) == given and alone


def _pairable(recorded: list[Any], given: list[Any], *, cut: bool) -> bool:
    return len(given) >= len(recorded) if cut else len(given) == len(recorded)


def _owner(entry: Any) -> tuple[str, ...]:
    return tuple(entry.get(name, "") for name in ("manager", "operation", "subresource"))


def plain(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, token in _RUN_DEPENDENT:
        text = pattern.sub(token, text)
    return text


def mended(text: str) -> Any:
    """Return what a JSON text that breaks off says up to its last whole value."""
    for end in range(len(text) - 1, 0, -1):
        if text[end : end + 1] in (",", "}", "]"):
            try:
                return json.loads(text[:end] + _closing(text[:end]))
            except ValueError:
                continue
    raise ValueError(f"nothing whole in {text!r}")


def _closing(text: str) -> str:
    """Return the brackets that would close what is open at the end of a JSON text."""
    opened: list[str] = []
    for character in _STRING.sub("", text):
        if character in "{[":
            opened.append("}" if character == "{" else "]")
        elif character in "}]":
            opened.pop()
    return "".join(reversed(opened))
