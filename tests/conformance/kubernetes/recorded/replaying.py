"""The recording, entry by entry, against the server under test."""

import itertools
import json
import re
import urllib.parse
from collections.abc import Iterable
from typing import Any

from conformance.kubernetes.recorded.allowed import Allowed
from conformance.kubernetes.recorded.comparing import Comparison, Difference, plain
from conformance.kubernetes.recorded.subjects import SPACE
from conformance.kubernetes.recorded.transcript import Entry, sections
from conformance.kubernetes.server import Answer, Api

Json = dict[str, Any]
_ANSWER = re.compile(
    r'  -> (\d+) ([^\s;]+(?:; charset=\S+)?)(?: Warning: ((?:299 - "(?:[^"\\]|\\.)*"(?:, )?)+))?( .*)?', re.DOTALL
)
_SHOWN_METADATA = ("deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generation", "resourceVersion")
_WATCHED_METADATA = (
    "annotations",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "labels",
    "name",
    "resourceVersion",
)
_AGENT = {"User_Agent": "semantics/1"}  # the recorder's name, which stands in managedFields


class Replay:
    """Sends what was recorded in the order of the file, and collects what differs."""

    def __init__(self, api: Api, allowed: Iterable[Allowed]) -> None:
        self.api = api
        self.comparison = Comparison()
        self.unexpected: list[str] = []
        self.unused = list(allowed)
        self.entries_compared = 0
        self._allowed = tuple(self.unused)
        self._sections = sections()
        self._left: list[Entry] = []

    def begin(self, section: str) -> None:
        """Go to a section. The one before it must have been replayed to its end."""
        self._ended()
        self._left = self._sections.pop(section)

    def hold(self) -> list[Entry]:
        """Leave a section for a while; what is returned goes to `resume`."""
        held, self._left = self._left, []
        return held

    def resume(self, held: list[Entry]) -> None:
        """Go on with a section that was left."""
        self._ended()
        self._left = held

    def finish(self) -> None:
        """Check that the whole recording was replayed."""
        self._ended()
        assert not self._sections, f"sections left out: {sorted(self._sections)}"

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send what the recording does not show, such as what an entry needs to be there."""
        return self.api.send(method, _quoted(path), body, **{**_AGENT, **headers})

    def made(self, path: str, body: Json) -> Json:
        """Create what an entry needs."""
        answer = self.send("POST", path, body)
        assert answer.status == 201, answer.text
        return answer.body

    def verbatim(self, count: int = 1, **headers: str) -> None:
        """Send the next requests just as recorded."""
        for _ in range(count):
            assert self._left[0].request is not None, self._left[0].head
            method, path, content_type, body = self._left[0].request
            self.answered(self.send(method, path, body.encode() or None, **_typed(content_type), **headers))

    def rest(self) -> None:
        """Send as recorded up to the next entry that is not a plain request."""
        while self._left and self._left[0].request is not None:
            self.verbatim()

    def instead(self, body: Any) -> None:
        """Send the next request with a body of this run: the recorded one has values of its own run, or its length."""
        assert self._left[0].request is not None, self._left[0].head
        method, path, content_type, _ = self._left[0].request
        self.answered(self.send(method, path, body, **_typed(content_type)))

    def answered(self, answer: Answer) -> None:
        """Compare an answer with the next entry's: status, type, warnings and body."""
        entry = self._left.pop(0)
        recorded = _ANSWER.fullmatch(entry.tail[0])
        assert recorded is not None, entry.tail[0]
        status, content_type, warnings, payload = recorded.groups()
        found = [*self.comparison.differences(int(status), answer.status, "status")]
        found += self.comparison.differences(content_type.strip(), answer.headers["Content-Type"], "contentType")
        found += self.comparison.differences(warnings or "", ", ".join(answer.warnings), "warnings")
        if payload and payload.lstrip().startswith("{"):
            given = json.loads(answer.text) if answer.text.startswith("{") else {"text": answer.text}
            found += self.comparison.text(payload.strip(), given)
        elif payload and payload.strip().startswith("'"):
            found += self._beginning(payload.strip(), answer.text)
        self._note(entry, found)

    def summed(self, label: str, answer: Answer, *, with_status: bool = False) -> Answer:
        """Compare with an entry of the form `label: code {metadata}`, or the whole Status where it failed."""
        entry = self._left.pop(0)
        assert entry.head.startswith(f"{label}"), f"line {entry.line} is {entry.head[:60]!r}, not {label!r}"
        code, _, payload = entry.head.removeprefix(label).lstrip(": ").partition(" ")
        payload, _, status = payload.partition(" status= ") if with_status else (payload, "", "")
        given = answer.body
        if answer.status < 400:
            kept = _SHOWN_METADATA if "generation" in payload else ("resourceVersion",)
            given = {name: value for name, value in given["metadata"].items() if name in kept}
        found = [*self.comparison.differences(int(code), answer.status, "status")]
        found += self.comparison.text(payload, {**given, **({"apiVersion": "v1"} if answer.status >= 400 else {})})
        if with_status and answer.status < 400:
            found += self.comparison.differences(status, str(answer.body.get("status")), "status")
        self._note(entry, found)
        return answer

    def told(self, label: str, *pairs: tuple[Any, Any]) -> None:
        """Compare an entry that the recorder summed up in words of its own, by pairs of recorded and given."""
        entry = self._left.pop(0)
        assert entry.head.startswith(label), f"line {entry.line} is {entry.head[:60]!r}, not {label!r}"
        found: list[Difference] = []
        for index, (recorded, given) in enumerate(pairs):
            found += self.comparison.differences(recorded, given, str(index))
        self._note(entry, found)

    def head(self) -> str:
        """Return the next entry's first line, of which `told` compares parts."""
        return self._left[0].head if self._left else ""

    def ahead(self, beginning: str) -> list[str]:
        """Return the first lines of the next entries that begin so."""
        return [entry.head for entry in itertools.takewhile(lambda e: e.head.startswith(beginning), self._left)]

    def watched(self, label: str, query: str) -> None:
        """Compare a watch that the recorder broke off with one that ends after a second."""
        self.told_watch(label, self.send("GET", f"{SPACE}?{query}&timeoutSeconds=1"), broken_off=True)

    def told_watch(self, label: str, answer: Answer, *, broken_off: bool = False) -> None:
        """Compare the events of a watch, or the plain body where it was none."""
        entry = self._left.pop(0)
        lines = [line.strip() for line in entry.tail]
        ended = not (broken_off and entry.head.endswith("ended=False"))
        coding = answer.headers["Transfer-Encoding"]
        given = f"{label}: {answer.status} {answer.headers['Content-Type']} te={coding} ended={ended}"
        found = [*self.comparison.differences(entry.head, given, "head")]
        if lines[:1] and lines[0].startswith("(plain body)"):
            found += self.comparison.text(lines[0].removeprefix("(plain body) "), answer.body)
        else:
            events = [json.loads(line) for line in answer.text.splitlines()]
            found += self.comparison.differences(len(lines), len(events), "events")
            for line, event in zip(lines, events, strict=False):
                kind, name, payload = line.split(" ", 2)
                told = event["object"]
                about = {n: v for n, v in told.get("metadata", {}).items() if n in _WATCHED_METADATA}
                found += self.comparison.differences([kind, name], [event["type"], told["kind"]], "event")
                found += self.comparison.text(payload, told if kind == "ERROR" else about)
        self._note(entry, found)

    def told_text(self, label: str, recorded: str, given: Any, *pairs: tuple[Any, Any]) -> None:
        """Compare an answer with its recorded text, and pairs beside it."""
        entry = self._left[0]
        found = [*self.comparison.text(recorded, given)]
        self.told(label, *pairs)
        self._note(entry, found, again=True)

    def _ended(self) -> None:
        assert not self._left, f"line {self._left[0].line} was left out: {self._left[0].head[:100]}"

    def _beginning(self, recorded: str, given: str) -> Iterable[Difference]:
        """Compare the beginning of a YAML text; which quotes it uses is the encoder's."""
        wanted = plain(recorded.strip("'").replace("\\n", "\n"))
        yield from self.comparison.differences(wanted, plain(given).replace("'", '"')[: len(wanted)], "text")

    def _note(self, entry: Entry, found: list[Difference], *, again: bool = False) -> None:
        self.entries_compared += not again
        for one in found:
            allowed = [a for a in self._allowed if a.covers(entry.line, one.path)]
            if not allowed:
                self.unexpected.append(
                    f"line {entry.line}: {entry.head[:90]}\n  {one.path}: recorded {one.recorded!r}\n"
                    f"  {' ' * len(one.path)}  given    {one.given!r}"
                )
            self.unused = [a for a in self.unused if a not in allowed]


def _typed(content_type: str) -> dict[str, str]:
    return {"Content_Type": content_type} if content_type else {}


def _quoted(path: str) -> str:
    return urllib.parse.quote(path, safe="/?&=,!%:()*")
