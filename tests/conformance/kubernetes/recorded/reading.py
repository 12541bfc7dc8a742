"""The recorded sections on reading: listing and watching."""

import ast
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conformance.kubernetes.recorded.replaying import Replay
from conformance.kubernetes.recorded.subjects import GROUP, SPACE, database
from conformance.kubernetes.server import MERGE, Answer

Json = dict[str, Any]
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
_PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json"
_PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


def watching(replay: Replay) -> None:
    """What watches tell, from where, and how they end."""
    replay.begin("watching")
    version = replay.api.call("GET", SPACE)[1]["metadata"]["resourceVersion"]
    path = f"{SPACE}/w1"
    made = replay.made(SPACE, database("w1"))["metadata"]["resourceVersion"]
    query = "watch=true&fieldSelector=metadata.name=w1&timeoutSeconds=2"
    with replay.api.open("GET", f"{SPACE}?{query}") as stream:
        told = stream.readline()
        for body in ({"metadata": {"labels": {"sel": "yes"}}}, {"spec": {"replicas": 3}}):
            replay.send("PATCH", path, body, Content_Type=MERGE)
        replay.send("PATCH", path, {"metadata": {"labels": {"sel": "no"}}}, Content_Type=MERGE)
        replay.send("DELETE", path)
        named = Answer(stream.status, stream.headers, (told + stream.read()).decode())
    replay.watched("watch all", f"watch=true&resourceVersion={made}")
    replay.watched("watch label sel=yes", f"watch=true&resourceVersion={version}&labelSelector=sel=yes")
    replay.told_watch("watch name timeoutSeconds=2 no rv", named)
    replay.made(SPACE, database("w2"))
    labels = [head.partition(": ")[0] for head in replay.ahead("?")]
    with ThreadPoolExecutor(len(labels)) as pool:
        for label, answer in zip(labels, pool.map(lambda q: replay.send("GET", SPACE + q), labels), strict=True):
            replay.told_watch(label, answer)
    replay.told_watch("watch on an object url", replay.send("GET", f"{SPACE}/w2?watch=true&timeoutSeconds=1"))


def watching_by_other_paths(replay: Replay) -> None:
    """What was recorded of watches after the objects of the listing were there."""
    replay.told_watch("legacy /watch/ path", replay.send("GET", f"{_legacy()}?timeoutSeconds=1"))
    query = "watch=true&timeoutSeconds=1&fieldSelector=metadata.name=w2"
    for label, accept in (("table watch", _TABLE), ("metadata watch", _PARTIAL)):
        with replay.api.watch(f"{SPACE}?{query}", Accept=accept) as events:
            seen = list(events)
        text = replay.head().removeprefix(f"{label} 200 application/json ")
        replay.told_text(label, text, seen)
    gone = replay.send("GET", f"{GROUP}/namespaces/nowhere/statefuldatabases?watch=true&timeoutSeconds=1")
    replay.told_watch("watch absent namespace", gone)


def listing(replay: Replay) -> None:
    """Selectors, pages, versions, and the forms of an answer."""
    replay.begin("listing")
    for index in range(5):
        engine = "mysql" if index % 2 else "postgres"
        replay.made(SPACE, database(f"l{index}", engine=engine, labels={"app": "l", "tier": str(index)}))
    token = ""
    while replay.head().startswith("GET ?"):
        label, _, told = replay.head().partition(": ")
        query = label.removeprefix("GET ?")
        if "continue=ey" in query:
            query = f"{query.partition('&continue=')[0]}&continue={token}"
        answer = replay.send("GET", f"{SPACE}?{query}")
        code, _, rest = told.partition(" ")
        if (code, answer.status) == ("410", 200):
            replay.told(label)  # the server is so young that it still knows its first version
        elif answer.status == 200:
            names, _, metadata = rest.partition("] ")
            token = answer.body["metadata"].get("continue") or token
            given = [item["metadata"]["name"] for item in answer.body["items"]]
            pairs = [(ast.literal_eval(names + "]"), given), (json.loads(metadata), answer.body["metadata"])]
            replay.told(label, (int(code), answer.status), *pairs)
        else:
            replay.told_text(label, rest.removesuffix(" {}"), answer.body, (int(code), answer.status))
    _envelopes(replay)
    replay.verbatim(1, Accept=_TABLE)
    replay.verbatim(2, Accept=_TABLE)
    replay.verbatim(1, Accept=_TABLE)
    replay.verbatim(1, Accept=_PARTIAL_LIST)
    replay.verbatim(1, Accept=_PARTIAL)
    replay.verbatim(1, Accept="application/json;as=Nonsense;v=v1;g=meta.k8s.io")
    replay.verbatim(1, Accept="application/yaml")
    replay.verbatim(1, Accept=_TABLE)


def _envelopes(replay: Replay) -> None:
    listed = replay.api.call("GET", f"{SPACE}?limit=1")[1]
    envelope, _, keys = replay.head().removeprefix("list envelope ").partition(" item keys ")
    wanted = ast.literal_eval(envelope)
    wanted["metadata"]["continue"] = "CONTINUE"
    without = {name: value for name, value in listed.items() if name != "items"}
    pairs = ((wanted, without), (ast.literal_eval(keys), sorted(listed["items"][0])))
    replay.told("list envelope", *pairs)
    spaces = replay.api.call("GET", "/api/v1/namespaces")[1]
    told = f"{spaces['kind']} {spaces['apiVersion']} item keys {sorted(spaces['items'][0])}"
    replay.told("builtin list envelope", (replay.head().removeprefix("builtin list envelope "), told))
    absent = replay.send("GET", f"{GROUP}/namespaces/nowhere/statefuldatabases")
    text = replay.head().removeprefix("list in absent namespace 200 ")
    replay.told_text("list in absent namespace", text, absent.body, (200, absent.status))


def _legacy() -> str:
    return SPACE.replace("/v1/", "/v1/watch/")
