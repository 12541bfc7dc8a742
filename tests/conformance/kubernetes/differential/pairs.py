"""The same sequence on two servers, and what they answered differently."""

import copy
import json
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from conformance.kubernetes.differential import reads, steps
from conformance.kubernetes.differential.allowed import REFUSED, Exchange, found_in
from conformance.kubernetes.differential.objects import SUBJECTS
from conformance.kubernetes.differential.steps import Memory, Place, Request
from conformance.kubernetes.recorded.comparing import Comparison, Difference
from conformance.kubernetes.server import MERGE, Answer, Api

Json = dict[str, Any]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
# Which steps a sequence has, as often as they stand here.
_STEPS: tuple[steps.Make, ...] = (
    *(steps.create,) * 3,
    *(steps.create_mutated,) * 4,
    *(steps.update,) * 5,
    *(steps.merge,) * 5,
    *(steps.json_patch,) * 3,
    *(steps.apply,) * 5,
    *(steps.delete,) * 3,
    *(reads.list_,) * 3,
    *(reads.get,) * 2,
    *(reads.wrong,) * 2,
    reads.watch_refused,
    reads.initial,
    steps.delete_collection,
)
_AGAIN = 2
_AGAIN_SECONDS = 0.3


@dataclass(frozen=True)
class Finding:
    """An exchange that differed."""

    sequence: int
    number: int
    request: Request
    status: tuple[int, int]
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        body = self.request.body if isinstance(self.request.body, bytes) else json.dumps(self.request.body)
        head = f"{self.sequence}.{self.number} {self.request.method} {self.request.path} [{self.request.content_type}]"
        lines = [f"{head} {body!s:.1500} -> {self.status}"]
        for one in self.differences:
            lines += [f"  {one.path}: real     {one.recorded!r}", f"  {' ' * len(one.path)}  embedded {one.given!r}"]
        return "\n".join(lines)


@dataclass
class Side:
    """One of the servers, and what it has told in this sequence."""

    api: Api
    memory: Memory = field(default_factory=Memory)

    def send(self, request: Request, collection: str) -> tuple[int, Json]:
        """Send a request; return the status, and what was told as JSON."""
        path = urllib.parse.quote(request.path, safe="/?&=%,!():*")
        if request.watch:
            return 200, {"events": _without_repetition(self._events(path, request.watch))}
        headers = {"Content_Type": request.content_type, "Accept": request.accept, "User_Agent": "differential/1"}
        answer = self.api.send(request.method, path, request.body, **headers)
        told = _told(answer)
        self._remember(request, collection, told["body"])
        return answer.status, told

    def _events(self, path: str, until: str) -> Iterator[Json]:
        with self.api.watch(path) as events:
            for event in events:
                if event["type"] != "BOOKMARK":
                    yield event
                elif "annotations" in event["object"]["metadata"]:
                    # Its version may be one of another kind: a real server writes things of its own.
                    event["object"]["metadata"]["resourceVersion"] = ""
                    yield event
                about = event["object"].get("metadata", {})
                if until in (about.get("name"), "initial-events-end" if event["type"] == "BOOKMARK" else ""):
                    return
                if event["type"] == "ERROR":
                    return

    def _remember(self, request: Request, collection: str, body: Any) -> None:
        if not isinstance(body, dict) or "metadata" not in body or body.get("kind") in ("Status", "Scale"):
            return
        if "items" in body:
            self.memory.more = body["metadata"].get("continue", "")
        elif "uid" in body["metadata"] and "dryRun" not in request.path and body["kind"] != "PartialObjectMetadata":
            self.memory.heard(f"{collection}/{body['metadata']['name']}", copy.deepcopy(body))


def _without_repetition(events: Iterable[Json]) -> list[Json]:
    """Return events without those that tell of nothing but another version: a default was stored."""
    told: list[Json] = []
    seen: dict[str, Json] = {}
    for event in events:
        about = event["object"].get("metadata", {})
        body = {**event["object"], "metadata": {**about, "resourceVersion": ""}}
        if event["type"] != "MODIFIED" or seen.get(about["name"]) != body:
            told.append(event)
        seen[about.get("name", "")] = body
    return told


def _told(answer: Answer) -> Json:
    """Return an answer as one value."""
    body: Any = json.loads(answer.text) if answer.text.startswith("{") else answer.text
    if isinstance(body, dict) and body.get("kind") == "Status":
        _sort_causes(body)
    return {"type": answer.headers["Content-Type"], "warnings": answer.warnings, "body": body}


def _sort_causes(status: Json) -> None:
    """Bring causes into an order: which comes first, and how often, depends on the order of Go's maps."""
    causes = (status.get("details") or {}).get("causes")
    distinct = {json.dumps(cause, sort_keys=True) for cause in causes or ()}
    if distinct:
        status["details"]["causes"] = [json.loads(cause) for cause in sorted(distinct)]
        status["message"] = status["message"].partition(" is invalid: ")[0]


class Pair:
    """Two servers that are sent the same. `found` collects what differed without being allowed to."""

    def __init__(self, real: Api, embedded: Api, suffix: str) -> None:
        self._apis = (real, embedded)
        self._suffix = suffix
        self.found: list[Finding] = []
        self.exchanges = 0
        self.assertions = 0
        self.allowed_count = 0

    def sequence(self, seed: int) -> None:
        """Run one sequence: it ends where the two answered with different codes, or have to differ from there."""
        rng = Random(seed)
        subject = rng.choice(SUBJECTS)
        namespace = f"diff-{self._suffix}-{seed}"
        names = ("a", "b", "c") if subject.namespaced else tuple(f"{namespace}-{name}" for name in "abc")
        place = Place(subject, namespace, names)
        sides = tuple(Side(api) for api in self._apis)
        comparison = Comparison(one_to_one=True)
        for side in sides:
            side.api.made("/api/v1/namespaces", {"metadata": {"name": namespace}})
            listed = side.api.call("GET", place.collection + f"?labelSelector=of={namespace}")[1]
            side.memory.first = listed["metadata"]["resourceVersion"]
        makes = [rng.choice(_STEPS) for _ in range(rng.randint(8, 20))]
        makes.insert(0, steps.create)
        if rng.random() < 0.3 and subject.namespaced:
            makes.insert(rng.randrange(len(makes)), steps.generated)
        for number, make in enumerate(makes):
            if not self._exchange(seed, number, place, sides, comparison, make, rng.random()):
                break
        else:
            self._ending(seed, len(makes), place, sides, comparison, rng)
        self.assertions += comparison.assertions
        for side in sides:
            self._clear(side, place)

    def _ending(
        self, seed: int, number: int, place: Place, sides: tuple[Side, ...], comparison: Comparison, rng: Random
    ) -> None:
        """Compare what a list and a watch say in the end."""
        last = "z-last" if place.subject.namespaced else f"{place.namespace}-z-last"

        def make_last(rng: Random, place: Place, memory: Memory) -> Request:
            return Request("POST", place.collection, place.body(rng, last))

        def whole(rng: Random, place: Place, memory: Memory) -> Request:
            query = "" if place.subject.namespaced else f"?labelSelector=of={place.namespace}"
            return Request("GET", place.collection + query)

        for make in (make_last, whole, lambda r, p, m: reads.since(r, p, m, last)):
            self._exchange(seed, number, place, sides, comparison, make, rng.random())
            number += 1

    def _exchange(
        self,
        seed: int,
        number: int,
        place: Place,
        sides: tuple[Side, ...],
        comparison: Comparison,
        make: Callable[[Random, Place, Memory], Request],
        chance: float,
    ) -> bool:
        """Send one request to both; say whether the sequence can go on."""
        requests = [_labelled(make(Random(chance), place, side.memory), place) for side in sides]
        for attempt in range(_AGAIN):
            (status, real), (given_status, given) = (
                side.send(request, place.collection) for side, request in zip(sides, requests, strict=True)
            )
            # Bound on trial: a read is sent again where it differs, because a real server reads from a cache.
            trial = copy.deepcopy(comparison)
            differences = list(trial.differences(status, given_status, "status"))
            differences += trial.differences(_tokens(real), given)
            if not differences or requests[0].method != "GET" or requests[0].watch or attempt == _AGAIN - 1:
                break
            time.sleep(_AGAIN_SECONDS)
        comparison.bound, comparison.meant = trial.bound, trial.meant
        comparison.assertions = trial.assertions
        self.exchanges += 1
        exchange = Exchange(requests[0], status, given_status)
        known = [found_in(exchange, one) for one in differences]
        left = [one for one, reason in zip(differences, known, strict=True) if reason is None]
        self.allowed_count += len(differences) - len(left)
        if left:
            self.found.append(Finding(seed, number, requests[0], (status, given_status), tuple(left)))
        ended = any(reason is not None and reason.ends for reason in known)
        return not ended and (status == given_status or min(status, given_status) >= REFUSED)

    def _clear(self, side: Side, place: Place) -> None:
        query = "" if place.subject.namespaced else f"?labelSelector=of={place.namespace}"
        for item in side.api.call("GET", place.collection + query)[1].get("items", []):
            path = f"{place.collection}/{item['metadata']['name']}"
            if item["metadata"].get("finalizers"):
                side.api.call("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
            if not place.subject.namespaced:
                side.api.call("DELETE", path)
        side.api.call("DELETE", f"/api/v1/namespaces/{place.namespace}")


def _labelled(request: Request, place: Place) -> Request:
    """Give what is not in a namespace a label by which it is found."""
    body = request.body
    if place.subject.namespaced or not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        return request
    labels = body["metadata"].get("labels") or {}
    if not isinstance(labels, dict):
        return request
    labelled = {**body, "metadata": {**body["metadata"], "labels": {**labels, "of": place.namespace}}}
    return Request(request.method, request.path, labelled, request.content_type, request.accept, request.watch)


def _tokens(value: Any, name: str = "", *, listed: bool = False) -> Any:
    """Return what a real server told as the recording has it: versions and uids as tokens, times as TIME."""
    if isinstance(value, dict):
        whole = "items" in value or value.get("kind") == "Table"
        return {n: _tokens(v, n, listed=whole or (listed and n == "resourceVersion")) for n, v in value.items()}
    if isinstance(value, list):
        return [_tokens(item, name) for item in value]
    if isinstance(value, str):
        if _TIME.fullmatch(value):
            return "TIME.us" if "." in value else "TIME"
        if name == "resourceVersion" and value.isdigit() and not listed and len(value) > 1:
            return f"rv{value}"
        if name == "continue" and value:
            return "CONTINUE"
        if name == "uid" and value.count("-") == 4 and not value.startswith("1111"):
            return "uid" + str(int(value.replace("-", ""), 16))
    return value
