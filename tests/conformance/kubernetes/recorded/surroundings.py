"""The recorded sections around the objects: discovery, auth, core."""

import ast
import json
from typing import Any

from conformance.kubernetes.recorded.comparing import plain
from conformance.kubernetes.recorded.replaying import Replay
from conformance.kubernetes.recorded.subjects import SPACE
from conformance.kubernetes.server import MERGE, eventually

Json = dict[str, Any]
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def discovery(replay: Replay) -> None:
    """What is served, in which forms, and by which schemas."""
    replay.begin("discovery")
    while replay.head() != "GET /apis":
        replay.verbatim()
    listed = replay.send("GET", "/apis").body
    replay.told("GET /apis", ({"kind": "APIGroupList", "apiVersion": "v1"}, {**listed, "groups": None}))
    groups = replay.send("GET", "/apis").body["groups"]
    wanted = [group for group in ast.literal_eval(replay.head()) if group["name"] != "apps"]
    replay.told("[", (wanted, [group for group in groups if group["name"] == "example.dev"]))
    _aggregated(replay)
    for _ in range(5):
        _accepted(replay, "Accept ", "/api/v1/namespaces/default")
        _accepted(replay, "  CR list Accept ", SPACE)
    _openapi(replay)


def _aggregated(replay: Replay) -> None:
    answer = replay.send("GET", "/apis", Accept=_AGGREGATED)
    head, _, groups = replay.head().partition(" APIGroupDiscoveryList apidiscovery.k8s.io/v2 ")
    headers = answer.headers
    told = f"aggregated {answer.status} {headers['Content-Type']} Vary: {headers['Vary']} "
    told += f"Cache-Control: {headers['Cache-Control']} ETag: {bool(headers['ETag'])}"
    ours = [group for group in answer.body["items"] if group["metadata"]["name"] == "example.dev"]
    for group in ours:
        group["metadata"] = {"name": group["metadata"]["name"]}
    replay.told("aggregated ", (head, told), (json.loads(groups), ours))
    again = replay.send("GET", "/apis", Accept=_AGGREGATED, If_None_Match=headers["ETag"])
    replay.told("If-None-Match", (replay.head(), f"If-None-Match -> {again.status}"))
    core = replay.send("GET", "/api", Accept=_AGGREGATED)
    head, _, kinds = replay.head().partition("List [")
    resources = core.body["items"][0]["versions"][0]["resources"]
    shown = [kind for kind in resources if kind["resource"] in ("events", "namespaces")]
    told = f"aggregated /api {core.status} {core.headers['Content-Type'].removesuffix('List')}"
    replay.told("aggregated /api", (head, told), (json.loads("[" + kinds), sorted(shown, key=_resource)))


def _resource(kind: Json) -> str:
    return str(kind["resource"])


def _accepted(replay: Replay, label: str, path: str) -> None:
    accept, _, told = replay.head().removeprefix(label).partition(" -> ")
    code, content_type, beginning = told.split(" ", 2)
    answer = replay.send("GET", path, Accept=accept)
    wanted = ast.literal_eval(beginning).decode(errors="replace")
    pairs = [(int(code), answer.status), (content_type, answer.headers["Content-Type"])]
    if wanted.startswith("{"):
        # What a client reads is the JSON; the order of its fields and its white space are the encoder's.
        pairs.append((sorted(_begun(wanted)), sorted(name for name in _begun(wanted) if name in answer.body)))
    elif code == "200":
        pairs.append((plain(wanted), plain(answer.text).replace("'", '"')[: len(wanted)]))
    replay.told(label, *pairs)


def _begun(text: str) -> list[str]:
    """Return the fields that stand at the beginning of a JSON object."""
    return [name for name in ("kind", "apiVersion", "metadata", "items", "status", "message") if f'"{name}":' in text]


def _openapi(replay: Replay) -> None:
    # A real server writes the documents of a new definition a little later.
    eventually(lambda: "apis/example.dev/v1" in replay.send("GET", "/openapi/v3").body["paths"])
    index = replay.send("GET", "/openapi/v3")
    path = index.body["paths"]["apis/example.dev/v1"]["serverRelativeURL"]
    told = [index.status, index.headers["Content-Type"], path.partition("?hash=")[0], bool(path.partition("?hash=")[2])]
    replay.told("openapi/v3 200", ([200, "text/plain; charset=utf-8", "/openapi/v3/apis/example.dev/v1", True], told))
    answer = replay.send("GET", path)
    document = answer.body
    named = replay.head().removeprefix("openapi/v3/apis/example.dev/v1 200 application/json ")
    keys, paths, schemas = (ast.literal_eval(part) for part in _lists(named))
    ours = [schema for schema in schemas if schema.startswith("dev.example")]
    given = document["components"]["schemas"]
    pairs = [(keys, sorted(document)), (paths, sorted(document["paths"])), (schemas, sorted(given))]
    replay.told("openapi/v3/apis/example.dev/v1", *pairs)
    schema = given[ours[0]]
    decoder = json.JSONDecoder()
    about, end = decoder.raw_decode(replay.head())
    kept = {name: value for name, value in schema.items() if name != "properties"}
    properties = sorted(name for name in ("apiVersion", "kind", "metadata") if f'"{name}": {{' in replay.head()[end:])
    replay.told("{", (about, kept), (properties, sorted(n for n in properties if n in schema["properties"])))
    operation = document["paths"][f"{SPACE.replace('semtest', '{namespace}')}/{{name}}"]["patch"]
    asked = [name for name in ("dryRun", "fieldManager", "fieldValidation") if f'"name": "{name}"' in replay.head()]
    kinds = {parameter["name"] for parameter in operation["parameters"]}
    pairs = [(asked, [name for name in asked if name in kinds])]
    replay.told("{", *pairs)
    replay.told("openapi/v2 json 200", (200, replay.send("GET", "/openapi/v2").status))
    media = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    replay.told("openapi/v2 proto 200", (200, replay.send("GET", "/openapi/v2", Accept=media).status))


def _lists(text: str) -> list[str]:
    return [part if part.startswith("[") else "[" + part for part in text.replace("] [", "]\x00[").split("\x00")]


def auth(replay: Replay) -> None:
    """Strangers, bad tokens, a user without rights, and reviews."""
    replay.begin("auth")
    stranger, alice = replay.api.unknown, {"Impersonate_User": "alice"}
    replay.answered(stranger(SPACE, {}))
    replay.answered(stranger(SPACE, {"Authorization": "Bearer nonsense"}))
    replay.verbatim(2, **alice)
    replay.answered(stranger("/readyz", {}))
    replay.answered(stranger("/version", {}))
    replay.answered(stranger("/apis", {}))
    replay.verbatim(2, **alice)
    replay.verbatim(1, **alice)
    replay.verbatim(1)


def core(replay: Replay) -> None:
    """Namespaces, configuration, secrets, events, leases."""
    replay.begin("core")
    replay.verbatim()
    replay.verbatim(1, Accept=_TABLE)
    replay.verbatim(3)
    replay.send("PATCH", "/api/v1/namespaces/semtest/configmaps/cm", {"immutable": True}, Content_Type=MERGE)
    replay.verbatim(2)
    replay.instead(event())
    replay.instead({**event(), "involvedObject": {**event()["involvedObject"], "namespace": "other"}})
    replay.instead({name: value for name, value in event().items() if name != "reportingComponent"})
    query = "fieldSelector=involvedObject.kind=StatefulDatabase,involvedObject.name=db1"
    listed = replay.api.call("GET", f"/api/v1/namespaces/semtest/events?{query}")[1]
    told = f"events by field 200 {len(listed['items'])} {listed['kind']}"
    replay.told("events by field", (replay.head(), told))
    viewed = replay.api.call("GET", "/apis/events.k8s.io/v1/namespaces/semtest/events")[1]["items"]
    first = next(item for item in viewed if item["regarding"]["namespace"] == "semtest")
    replay.told_text("events.k8s.io view", replay.head().removeprefix("events.k8s.io view "), first)
    replay.verbatim(1, Accept=_TABLE)
    replay.verbatim()
    replay.made("/api/v1/namespaces", {"metadata": {"name": "semdel"}})
    replay.made("/api/v1/namespaces/semdel/configmaps", {"metadata": {"name": "held", "finalizers": ["a.dev/x"]}})
    replay.rest()
    path = "/api/v1/namespaces/semdel/configmaps/held"
    replay.send("PATCH", path, {"metadata": {"finalizers": None}}, Content_Type=MERGE)


def event() -> Json:
    """Return an event as kopf sends it."""
    now = "2026-11-24T00:06:42.332149+00:00"
    about = {"apiVersion": "example.dev/v1", "kind": "StatefulDatabase", "name": "db1", "namespace": "semtest"}
    return {
        "metadata": {"generateName": "kopf-event-"},
        "action": "Action?",
        "type": "Normal",
        "reason": "R",
        "message": "m",
        "reportingComponent": "kopf",
        "reportingInstance": "dev",
        "source": {"component": "kopf"},
        "involvedObject": {**about, "uid": "u"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "eventTime": now,
    }
