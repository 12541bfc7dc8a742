"""Requests, each made by chance from what a server has answered so far."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from conformance.kubernetes.differential.mutating import at, mutated, places
from conformance.kubernetes.differential.objects import Subject
from conformance.kubernetes.server import APPLY, JSON, MERGE, PATCH, STRATEGIC

Json = dict[str, Any]
MANAGERS = ("kubectl", "kopf", "flux")
_ABSENT = "11111111-1111-1111-1111-111111111111"


@dataclass(frozen=True)
class Request:
    """What is sent. A `watch` is read up to an event about the name that it says, or to the end of what was there."""

    method: str
    path: str
    body: Any = None
    content_type: str = JSON
    accept: str = JSON
    watch: str = ""


@dataclass
class Memory:
    """What one server has told in one sequence: it makes the same requests say the same of each server.

    `objects` are the last states by path, `versions` all versions of each, `first` that of the list before anything was
    there; `more` and `position` are what the last list in pages ended with.
    """

    objects: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, list[str]] = field(default_factory=dict)
    first: str = ""
    more: str = ""
    position: str = ""

    def heard(self, path: str, told: Json) -> None:
        """Remember an object."""
        self.objects[path] = told
        self.versions.setdefault(path, []).append(told["metadata"]["resourceVersion"])


@dataclass(frozen=True)
class Place:
    """Where a sequence works: objects of a kind in a namespace, under few names."""

    subject: Subject
    namespace: str
    names: tuple[str, ...]

    @property
    def collection(self) -> str:
        """The path of the collection."""
        return self.subject.path(self.namespace)

    def path(self, rng: Random) -> str:
        """Return the path of one of the objects."""
        return f"{self.collection}/{rng.choice(self.names)}"

    def body(self, rng: Random, name: str) -> Json:
        """Return a valid object."""
        made = copy.deepcopy(self.subject.make(rng))
        made["metadata"] = {"name": name, **made["metadata"]}
        return made


Make = Callable[[Random, Place, Memory], Request]


def _query(rng: Random, *, apply: bool = False) -> str:
    options: list[str] = []
    if rng.random() < 0.12:
        options.append("dryRun=" + rng.choice(["All", "All", "All", "Some"]))
    if apply or rng.random() < 0.4:
        managers = MANAGERS if rng.random() < 0.97 else ("", "x" * 129)
        options.append(f"fieldManager={rng.choice(managers)}")
    if rng.random() < 0.4:
        options.append("fieldValidation=" + rng.choice(["Strict", "Strict", "Warn", "Ignore", "Loud"]))
    if (apply and rng.random() < 0.4) or rng.random() < 0.02:
        options.append(f"force={rng.choice(['true', 'true', 'false'])}")
    return "?" + "&".join(options) if options else ""


def _sub(rng: Random, place: Place) -> str:
    if place.subject.status is not None and rng.random() < 0.4:
        return "/status"
    if place.subject.scale and rng.random() < 0.08:
        return "/scale"
    return "/status" if rng.random() < 0.01 else ""


def create(rng: Random, place: Place, memory: Memory) -> Request:
    """Create a valid object."""
    body = place.body(rng, rng.choice(place.names))
    if rng.random() < 0.3:
        body["metadata"]["finalizers"] = ["statefuldb.dev/keep"]
    if place.subject.status is not None and rng.random() < 0.2:
        body["status"] = place.subject.status(rng)
    return Request("POST", place.collection + _query(rng), body)


def create_mutated(rng: Random, place: Place, memory: Memory) -> Request:
    """Create an object in which something is off."""
    body = mutated(rng, place.body(rng, rng.choice(place.names)), wild=0.8)
    if rng.random() < 0.25:
        field_name, value = rng.choice(_METADATA)
        body.setdefault("metadata", {})
        if isinstance(body["metadata"], dict):
            body["metadata"][field_name] = value
    if rng.random() < 0.06:
        body[rng.choice(["kind", "apiVersion"])] = rng.choice(["", "Other", "v1", "apps/v1", None, 1])
    return Request("POST", place.collection + _query(rng), body)


_METADATA: tuple[tuple[str, Any], ...] = (
    *(("name", "x" * 254), ("name", "x" * 64), ("name", "UPPER"), ("name", "a_b"), ("name", "a.b-c"), ("name", "")),
    *(("name", "-a"), ("name", "a/b"), ("name", "a%b"), ("name", "."), ("name", None), ("name", 5)),
    *(("namespace", "other"), ("namespace", ""), ("uid", _ABSENT), ("resourceVersion", "5"), ("generation", 7)),
    *(("creationTimestamp", "2020-01-01T00:00:00Z"), ("creationTimestamp", None), ("creationTimestamp", "x")),
    *(("deletionTimestamp", "2020-01-01T00:00:00Z"), ("deletionGracePeriodSeconds", 5), ("selfLink", "/x")),
    *(("managedFields", []), ("managedFields", [{}]), ("managedFields", [{"manager": "m", "operation": "Update"}])),
    *(("labels", None), ("annotations", None), ("finalizers", None), ("ownerReferences", None)),
    *(("annotations", {"x": "y" * 262_145}), ("extra", 1), ("generateName", "gen-")),
)


def generated(rng: Random, place: Place, memory: Memory) -> Request:
    """Create an object whose name the server makes."""
    body = place.body(rng, "")
    body["metadata"] = {"generateName": rng.choice(["gen-", "kopf-event-"])}
    return Request("POST", place.collection + _query(rng), body)


def update(rng: Random, place: Place, memory: Memory) -> Request:
    """Replace an object by what it was, mutated; sometimes by an old state of it, or by a new object."""
    path = place.path(rng)
    held = memory.objects.get(path)
    sub = _sub(rng, place)
    fresh = place.body(rng, path.rpartition("/")[2])
    body = copy.deepcopy(held) if held is not None and rng.random() < 0.85 else fresh
    if sub == "/status" and place.subject.status is not None and rng.random() < 0.7:
        body["status"] = place.subject.status(rng)
    if rng.random() < 0.75:
        body = mutated(rng, body, wild=0.4)
    about = body.get("metadata")
    if isinstance(about, dict) and rng.random() < 0.25:
        versions = memory.versions.get(path, ["1"])
        field_name, value = rng.choice(
            [
                *(("resourceVersion", versions[0]), ("resourceVersion", ""), ("resourceVersion", "0")),
                *(("resourceVersion", "abc"), ("resourceVersion", None), ("uid", _ABSENT), ("uid", "")),
                *(("managedFields", [{}]), ("managedFields", []), ("managedFields", None)),
                *(_METADATA[rng.randrange(len(_METADATA))],) * 4,
            ]
        )
        if not field_name.startswith("deletion"):  # a real server makes such objects as being deleted already
            about[field_name] = value
    return Request("PUT", path + sub + _query(rng), body)


def merge(rng: Random, place: Place, memory: Memory) -> Request:
    """Patch a part of an object by a merge patch, or a built-in kind by a strategic one."""
    path = place.path(rng)
    sub = _sub(rng, place)
    strategic = STRATEGIC if rng.random() < (0.05 if place.subject.custom else 0.5) else MERGE
    return Request("PATCH", path + sub + _query(rng), _part(rng, place, memory, path, sub), strategic)


def _part(rng: Random, place: Place, memory: Memory, path: str, sub: str) -> Json:
    """Return a part of an object as somebody would patch it."""
    whole = copy.deepcopy(memory.objects.get(path) or place.body(rng, path.rpartition("/")[2]))
    whole.pop("metadata", None)
    if sub == "/status" and place.subject.status is not None:
        whole["status"] = place.subject.status(rng)
    body = {name: whole[name] for name in sorted(whole) if name not in ("apiVersion", "kind") and rng.random() < 0.5}
    body = {"metadata": {}, **body}
    body = dict(mutated(rng, body, wild=0.5))
    if isinstance(body.get("metadata"), dict) and rng.random() < 0.15:
        name, value = rng.choice([*_METADATA, ("resourceVersion", memory.versions.get(path, ["1"])[0])])
        body["metadata"][name] = value
    return body


def json_patch(rng: Random, place: Place, memory: Memory) -> Request:
    """Patch an object by a JSON patch."""
    path = place.path(rng)
    held = memory.objects.get(path) or place.body(rng, path.rpartition("/")[2])
    operations: list[Any] = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        found = rng.choice(places(held) or [("metadata",)])
        pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in found)
        if rng.random() < 0.15:
            pointer += rng.choice(["/-", "/new", "/0", "/~2", ""])
        other = mutated(rng, {"value": at(held, found)}, wild=1.0).get("value")
        kind = rng.choice(["add", "remove", "replace", "replace", "test", "test", "copy", "move", "other"])
        one: Json = {"op": kind, "path": pointer}
        if kind in ("add", "replace", "test"):
            one["value"] = at(held, found) if kind == "test" and rng.random() < 0.6 else other
        elif kind in ("copy", "move"):
            one["from"] = "/metadata/labels"
        operations.append(one)
    if rng.random() < 0.3:
        version = rng.choice(memory.versions.get(path, ["1"]))
        operations.insert(0, {"op": "test", "path": "/metadata/resourceVersion", "value": version})
    return Request("PATCH", path + _sub(rng, place) + _query(rng), operations, PATCH)


def apply(rng: Random, place: Place, memory: Memory) -> Request:
    """Apply an object, or a part of one, as one of several managers."""
    path = place.path(rng)
    name = path.rpartition("/")[2]
    sub = "/status" if place.subject.status is not None and rng.random() < 0.35 else ""
    made = place.body(rng, name)
    made.pop("stringData", None)  # who owns that differs, and nobody applies it
    body: Json = {field_name: made[field_name] for field_name in ("apiVersion", "kind", "metadata")}
    if sub:
        status = place.subject.status(rng) if place.subject.status is not None else {}
        body["status"] = {field_name: status[field_name] for field_name in sorted(status) if rng.random() < 0.5}
    elif rng.random() < 0.75:
        body |= {n: v for n, v in made.items() if n not in body}
    elif isinstance(made.get("spec"), dict):
        body["spec"] = {n: v for n, v in made["spec"].items() if rng.random() < 0.5}
    if rng.random() < 0.5:
        body = mutated(rng, body, wild=0.4)
    if rng.random() < 0.06 and isinstance(body.get("metadata"), dict):
        field_name, value = rng.choice([*_METADATA, ("resourceVersion", memory.versions.get(path, ["1"])[-1])])
        if not field_name.startswith("deletion"):
            body["metadata"][field_name] = value
    return Request("PATCH", path + sub + _query(rng, apply=rng.random() < 0.97), body, APPLY)


def delete(rng: Random, place: Place, memory: Memory) -> Request:
    """Delete an object, with options by chance."""
    path = place.path(rng)
    if place.subject.plural == "namespaces":  # one that is on its way out waits for a controller
        return Request("DELETE", path + "?dryRun=All")
    held = (memory.objects.get(path) or {"metadata": {}})["metadata"]
    choices: list[Any] = [
        *(None, None, None, {}),
        # What waits for dependents waits for a controller, which may not run beside a real server.
        *({"propagationPolicy": policy} for policy in ("Background", "Background", "Other")),
        {"preconditions": {"uid": held.get("uid", _ABSENT)}},
        {"preconditions": {"uid": _ABSENT}},
        {"preconditions": {"resourceVersion": held.get("resourceVersion", "1")}},
        {"preconditions": {"resourceVersion": memory.versions.get(path, ["1"])[0]}},
        *({"dryRun": ["All"]}, {"dryRun": ["Some"]}, {"gracePeriodSeconds": 0}, {"gracePeriodSeconds": -1}),
        *({"orphanDependents": False}, {"orphanDependents": True, "propagationPolicy": "Orphan"}, {"extra": 1}),
        *({"preconditions": "x"}, {"gracePeriodSeconds": "x"}, {"kind": "Other", "apiVersion": "v1"}),
        {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"},
    ]
    query = rng.choice(["", "", "", "", "?propagationPolicy=Background", "?dryRun=All", "?propagationPolicy=Other"])
    return Request("DELETE", path + query, rng.choice(choices))


def delete_collection(rng: Random, place: Place, memory: Memory) -> Request:
    """Delete all objects of a namespace, or some of them."""
    queries = ["", "?labelSelector=app=db", "?fieldSelector=metadata.name=a", "?dryRun=All", "?limit=1"]
    if not place.subject.namespaced:
        queries = [f"?labelSelector=of={place.namespace}"]
    return Request("DELETE", place.collection + rng.choice(queries))
