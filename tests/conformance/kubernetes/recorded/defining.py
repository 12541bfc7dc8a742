"""The recorded section on definitions: how one is checked, accepted and taken away."""

import ast
import copy
import functools
import json
from typing import Any

from conformance.kubernetes.recorded.replaying import Replay
from conformance.kubernetes.recorded.subjects import SPACE, database, definition
from conformance.kubernetes.server import MERGE, Answer, eventually
from conformance.kubernetes.things import DEFINITIONS

Json = dict[str, Any]


def definitions(replay: Replay) -> None:
    """How a definition is checked, accepted and taken away."""
    replay.begin("crds")
    answer = replay.send("POST", DEFINITIONS, definition("crdtest.dev"))
    made = answer.body
    head = replay.head().removeprefix("CRD create 201 ")
    about, _, rest = head.partition("} ")
    status, _, conversion = rest.partition(" spec.conversion ")
    shown = {name: made["metadata"][name] for name in ("name", "generation")}
    pairs = [(ast.literal_eval(about + "}"), shown), (201, answer.status)]
    pairs.append((conversion.partition(" preserve")[0], str(made["spec"]["conversion"])))
    replay.told_text("CRD create", status, {**made["status"], "apiVersion": "v1"}, *pairs)
    stored = eventually(lambda: _established(replay, "statefuldatabases.crdtest.dev"))
    status = replay.head().removeprefix("established after <1s True ").removesuffix(" None")
    replay.told_text("established after", status, stored["status"])
    _bad_definitions(replay)
    _leaving(replay)


def _established(replay: Replay, name: str) -> Json | None:
    stored = replay.api.call("GET", f"{DEFINITIONS}/{name}")[1]
    conditions = stored.get("status", {}).get("conditions") or []
    return stored if any(c["type"] == "Established" and c["status"] == "True" for c in conditions) else None


def _bad_definitions(replay: Replay) -> None:
    for name, body in bad_definitions().items():
        label = f"CRD bad {name}"
        if "connection dropped" in replay.head():
            replay.told(label)  # the real server's handler panics: nothing that ours should do
            continue
        answer = replay.send("POST", DEFINITIONS, body)
        code, _, text = replay.head().removeprefix(f"{label} ").partition(" ")
        given = answer.body["status"] if answer.status == 201 else answer.body
        replay.told_text(label, text.removeprefix("accepted "), given, (int(code), answer.status))
        if answer.status == 201:
            path = f"{DEFINITIONS}/{body['metadata']['name']}"
            replay.send("DELETE", path)
            eventually(functools.partial(_absent, replay, path))


def bad_definitions() -> dict[str, Json]:
    """Return what the recorder tried, by its name for it."""
    found: dict[str, Json] = {}

    def one(name: str) -> tuple[Json, Json]:
        body = found[name] = definition("crdtest.dev")
        body["metadata"]["name"] = "others.crdtest.dev"
        body["spec"]["names"] = {"kind": "Other", "plural": "others"}
        return body, body["spec"]["versions"][0]

    one("ok")
    _, version = one("no schema")
    del version["schema"]
    body, _ = one("name mismatch")
    body["metadata"]["name"] = "foo.crdtest.dev"
    _, version = one("no type")
    del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["type"]
    body, version = one("two storage")
    body["spec"]["versions"].append({**copy.deepcopy(version), "name": "v2"})
    _, version = one("bad default")
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["replicas"]["default"] = "x"
    _, version = one("bad CEL")
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"][0]["rule"] = "self.nope == 1"
    _, version = one("bad jsonpath")
    version["additionalPrinterColumns"][0]["jsonPath"] = "spec.engine"
    body, _ = one("k8s.io group")
    body["metadata"]["name"], body["spec"]["group"] = "others.foo.k8s.io", "foo.k8s.io"
    body, _ = one("scope")
    body["spec"]["scope"] = "Bogus"
    body, _ = one("plural taken")
    body["spec"]["names"] = {"kind": "StatefulDatabase", "plural": "others"}
    body, _ = one("unknown field strict")
    body["spec"]["junk"] = 1
    _, version = one("additionalProperties+properties")
    version["schema"]["openAPIV3Schema"]["properties"]["status"] = {
        "type": "object",
        "additionalProperties": {"type": "string"},
    }
    one("$ref")
    _, version = one("oneOf with type")
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["oneOf"] = [{"type": "object"}]
    body, _ = one("v1beta1")
    body["apiVersion"] = "apiextensions.k8s.io/v1beta1"
    return found


def _leaving(replay: Replay) -> None:
    space = SPACE.replace("example.dev", "crdtest.dev")
    held = {**database("x", finalizers=("a.dev/x",)), "apiVersion": "crdtest.dev/v1"}
    replay.made(space, held)
    path = f"{DEFINITIONS}/statefuldatabases.crdtest.dev"
    answer = replay.send("DELETE", path).body
    about = answer["metadata"]
    told = f"CRD delete 200 {answer['kind']} {about['finalizers']} {'deletionTimestamp' in about}"
    replay.told("CRD delete", (replay.head(), told))
    stored = eventually(lambda: _terminating(replay, path))
    wanted = json.loads(replay.head().removeprefix("CRD terminating 200 "))
    replay.told("CRD terminating", (wanted, stored["status"]["conditions"]))
    eventually(lambda: "deletionTimestamp" in replay.api.call("GET", f"{space}/x")[1]["metadata"])
    replay.summed("CR of deleted CRD", replay.send("GET", f"{space}/x"))
    late = replay.send("POST", space, {**held, "metadata": {"name": "y"}})
    text = replay.head().removeprefix("create while CRD terminating 403 ") + "}"  # the recorder kept 300 characters
    replay.told_text("create while CRD terminating", text, late.body, (403, late.status))
    replay.send("PATCH", f"{space}/x", {"metadata": {"finalizers": None}}, Content_Type=MERGE)
    eventually(lambda: replay.api.call("GET", path)[0] == 404)
    replay.told("CRD after last CR gone", (404, replay.send("GET", path).status))
    group: Answer = eventually(lambda: _absent(replay, "/apis/crdtest.dev"))
    replay.told("group", ("404 404 page not found", f"{group.status} {group.text.strip()}"))


def _absent(replay: Replay, path: str) -> Answer | None:
    answer = replay.send("GET", path)
    return answer if answer.status == 404 else None


def _terminating(replay: Replay, path: str) -> Json | None:
    stored = replay.api.call("GET", path)[1]
    return stored if len(stored["status"]["conditions"]) == 3 else None
