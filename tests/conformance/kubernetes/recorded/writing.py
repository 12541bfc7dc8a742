"""The recorded sections on writing: create, generation, conflicts, deletion, ssa."""

from typing import Any

from conformance.kubernetes.recorded.replaying import Replay
from conformance.kubernetes.recorded.subjects import SPACE, database
from conformance.kubernetes.server import MERGE, PATCH, Answer

Json = dict[str, Any]


def create(replay: Replay) -> None:
    """What a POST answers, wrong ones first of all."""
    replay.begin("create")
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    ignored: Json = {"uid": "mine", "generation": 77, "creationTimestamp": "2020-01-01T00:00:00Z"}
    # The recorder kept the length only of bodies that it thought too long to show.
    by_length = {
        "2": b"{}",
        "378": database("c4", finalizers=("example.dev/f",), ownerReferences=[owner], **ignored),
        "270146": database("c9", annotations={"x": "y" * 270_000}),
    }
    while not replay.head().startswith("3.2MB"):
        length = replay.head().rpartition("] ")[2]
        if length in by_length:
            replay.instead(by_length[length])
        else:
            replay.verbatim()
    for label, characters in (("3.2MB body", 3_200_000), ("1.6MB body", 1_600_000)):
        code, _, text = replay.head().removeprefix(f"{label} -> ").partition(" ")
        body = database("big")
        body["spec"]["template"] = {"x": "y" * characters}
        answer = replay.send("POST", SPACE, body)
        replay.told_text(label, text, answer.body, (int(code), answer.status))
    replay.rest()


def generation(replay: Replay) -> None:
    """Which writes count, and which part each of them may change."""
    replay.begin("generation")
    path = f"{SPACE}/g1"
    made = replay.made(SPACE, database("g1"))
    shown = {name: made["metadata"][name] for name in ("generation", "resourceVersion")}
    replay.told("created", ({"generation": 1, "resourceVersion": "rv4"}, shown))

    def patched(label: str, body: Json, sub: str = "") -> None:
        replay.summed(label, replay.send("PATCH", path + sub, body, Content_Type=MERGE), with_status=True)

    patched("label patch", {"metadata": {"labels": {"a": "b"}}})
    patched("noop label patch", {"metadata": {"labels": {"a": "b"}}})
    patched("spec patch", {"spec": {"replicas": 2}})
    patched("noop spec patch", {"spec": {"replicas": 2}})
    patched("status via main", {"status": {"phase": "A"}})
    patched("status via /status", {"status": {"phase": "A"}}, "/status")
    patched("noop status", {"status": {"phase": "A"}}, "/status")
    patched("spec via /status", {"spec": {"replicas": 5}}, "/status")
    patched("labels via /status", {"metadata": {"labels": {"c": "d"}}}, "/status")
    patched("spec+status via main", {"spec": {"replicas": 3}, "status": {"phase": "B"}})
    patched("remove defaulted field", {"spec": {"version": None}})
    patched("unknown spec field (pruned)", {"spec": {"junk": 1}})
    patched("finalizer add", {"metadata": {"finalizers": ["a/b"]}})
    patched("generation set by client", {"metadata": {"generation": 99}})
    patched("deletionTimestamp set by client", {"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"}})
    patched("scale patch", {"spec": {"replicas": 7}}, "/scale")
    replay.verbatim()
    scale = replay.api.call("GET", f"{path}/scale")[1]
    replay.instead({**scale, "spec": {"replicas": 8}})
    replay.rest()
    patched("bad status", {"status": {"conditions": [{"type": "Ready", "status": "Maybe"}]}}, "/status")
    patched("immutable by CEL", {"spec": {"engine": "mysql"}})
    patched("cleanup", {"metadata": {"finalizers": None}})


def conflicts(replay: Replay) -> None:
    """Stale versions, wrong names and broken patches."""
    replay.begin("conflicts")
    path = f"{SPACE}/k1"
    first = replay.made(SPACE, database("k1"))

    def put(label: str, body: Json, name: str = "k1") -> Answer:
        return replay.summed(label, replay.send("PUT", f"{SPACE}/{name}", body))

    def with_metadata(**metadata: Any) -> Json:
        return {**first, "metadata": {**first["metadata"], **metadata}, "spec": {**first["spec"], "replicas": 9}}

    fresh = put("PUT fresh rv", with_metadata()).body["metadata"]["resourceVersion"]
    put("PUT stale rv", with_metadata())
    put("PUT no rv", with_metadata(resourceVersion=None))
    put("PUT rv 0", with_metadata(resourceVersion="0"))
    put("PUT garbage rv", with_metadata(resourceVersion="abc"))
    put("PUT wrong uid", with_metadata(resourceVersion=fresh, uid="11111111-1111-1111-1111-111111111111"))
    put("PUT wrong name", with_metadata(resourceVersion=fresh, name="zzz"))
    put("PUT absent", database("absent"), "absent")
    put("PUT absent with rv", database("absent", resourceVersion="5"), "absent")
    stale = first["metadata"]["resourceVersion"]
    replay.instead({"metadata": {"resourceVersion": stale}, "spec": {"replicas": 44}})
    while '/metadata/labels/q"' not in replay.head():
        replay.verbatim()
    replay.send("PATCH", path, {"metadata": {"labels": {"q": "1"}}}, Content_Type=MERGE)
    replay.rest()


def deletion(replay: Replay) -> None:
    """Finalizers, preconditions, propagation, collections."""
    replay.begin("deletion")
    replay.made(SPACE, database("d1"))
    replay.verbatim(2)
    path = f"{SPACE}/d2"
    version = replay.made(SPACE, database("d2", finalizers=("a.dev/x", "a.dev/y")))["metadata"]["resourceVersion"]
    replay.summed("DELETE with finalizers", replay.send("DELETE", path))
    replay.summed("DELETE again", replay.send("DELETE", path))
    replay.summed("POST same name while terminating", replay.send("POST", SPACE, database("d2")))

    def patched(label: str, body: Json, sub: str = "") -> None:
        replay.summed(label, replay.send("PATCH", path + sub, body, Content_Type=MERGE))

    patched("spec patch while terminating", {"spec": {"replicas": 3}})
    patched("status patch while terminating", {"status": {"phase": "bye"}}, "/status")
    patched("add finalizer while terminating", {"metadata": {"finalizers": ["a.dev/x", "a.dev/y", "a.dev/z"]}})
    patched("clear deletionTimestamp", {"metadata": {"deletionTimestamp": None}})
    patched("remove one", {"metadata": {"finalizers": ["a.dev/y"]}})
    last = replay.send("PATCH", path, [{"op": "remove", "path": "/metadata/finalizers"}], Content_Type=PATCH)
    replay.summed("remove last", last)
    replay.summed("GET after", replay.send("GET", path))
    replay.watched("watch", f"watch=true&resourceVersion={version}&fieldSelector=metadata.name=d2")
    for name in ("d3", "d4", "d5", "d6"):
        replay.made(SPACE, database(name))
    while "d5" not in replay.head():
        replay.verbatim()
    replay.send("PATCH", f"{SPACE}/d4", {"metadata": {"finalizers": None}}, Content_Type=MERGE)
    replay.verbatim(2)
    replay.made(SPACE, database("e1", engine="mysql"))
    replay.made(SPACE, database("e2", engine="mysql", finalizers=("a.dev/x",)))
    replay.rest()
    replay.send("PATCH", f"{SPACE}/e2", {"metadata": {"finalizers": None}}, Content_Type=MERGE)


def apply(replay: Replay) -> None:
    """Server-side apply: who owns what."""
    replay.begin("ssa")
    replay.rest()
    entries = replay.api.call("GET", f"{SPACE}/s1")[1]["metadata"]["managedFields"]
    owners = sorted((e["manager"], e["operation"], e.get("subresource")) for e in entries)
    replay.told("managers", (replay.head().removeprefix("managers "), str(owners)))
    replay.rest()
