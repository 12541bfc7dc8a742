"""Requests that read, and requests that are wrong in themselves."""

from random import Random

from conformance.kubernetes.differential.steps import Memory, Place, Request
from conformance.kubernetes.server import APPLY, JSON, MERGE, PATCH

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
_PARTIALS = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_SELECTORS = (
    *("labelSelector=app=db", "labelSelector=app!=db", "labelSelector=app", "labelSelector=!app", "labelSelector=a b"),
    *("labelSelector=app in (db,web)", "labelSelector=app notin (db)", "labelSelector=app==db,tier", "labelSelector=="),
    *(
        "labelSelector=tier=",
        "labelSelector=app in ()",
        "labelSelector=,",
        "labelSelector=app=db,,",
        "labelSelector=a/b/c",
    ),
    *("fieldSelector=metadata.name=a", "fieldSelector=metadata.name!=a", "fieldSelector=spec.x=1", "fieldSelector=a"),
    *("fieldSelector=metadata.name==a,metadata.name!=b", "fieldSelector=type=Opaque", "fieldSelector=reason=Waiting"),
    *("labelSelector=app=bad value!", "labelSelector=app=" + "x" * 64, "labelSelector=n>5", "fieldSelector=,"),
    *("fieldSelector=involvedObject.name=db1,type!=Normal", "labelSelector=app in (db", "fieldSelector=metadata.name="),
)


def get(rng: Random, place: Place, memory: Memory) -> Request:
    """Read an object."""
    path = place.path(rng)
    sub = rng.choice(["", "", "", "", "/status", "/scale", "/other"])
    version = (memory.objects.get(path) or {"metadata": {}})["metadata"].get("resourceVersion", "1")
    query = rng.choice(["", "", "", "?resourceVersion=0", f"?resourceVersion={version}", "?resourceVersion=x"])
    accept = rng.choice([JSON, JSON, JSON, JSON, _PARTIAL, "text/html", "*/*"])
    return Request("GET", path + sub + query, accept=accept)


def list_(rng: Random, place: Place, memory: Memory) -> Request:
    """List objects: whole, in pages, selected, as of a version."""
    version = rng.choice(sorted({v for versions in memory.versions.values() for v in versions}, key=int) or ["1"])
    options = [
        *([], ["limit=1"], ["limit=2"], ["limit=2", f"resourceVersion={version}"], ["limit=-1"], ["limit=x"]),
        *([rng.choice(_SELECTORS)], [rng.choice(_SELECTORS)], ["limit=1", "labelSelector=app=db"]),
        *([f"resourceVersion={version}", "resourceVersionMatch=NotOlderThan"], ["resourceVersion=0"]),
        *([f"resourceVersion={version}", "resourceVersionMatch=Exact"], ["resourceVersion=x"], ["continue=x"]),
        *([f"resourceVersion={version}"], ["resourceVersionMatch=Exact"], ["resourceVersion=0", "limit=1"]),
        *(["resourceVersion=0", "resourceVersionMatch=Exact"], ["sendInitialEvents=true"], ["timeoutSeconds=x"]),
        *(["resourceVersion=0", "resourceVersionMatch=NotOlderThan", "limit=1"], ["resourceVersionMatch=Other"]),
        *([f"resourceVersion={version}", "resourceVersionMatch=Other"], ["resourceVersion=99999999999"]),
    ]
    chosen = list(rng.choice(options))
    if memory.more and rng.random() < 0.5:
        chosen = [f"continue={memory.more}", "limit=1"]
        chosen += rng.choice([[], [], [], ["resourceVersion=1"], ["resourceVersionMatch=Exact"], ["resourceVersion=0"]])
    if not place.subject.namespaced:
        chosen = [option for option in chosen if "Selector" not in option and "limit" not in option]
        chosen.append(f"labelSelector=of={place.namespace}")
    accept = rng.choice([JSON, JSON, JSON, _PARTIALS])
    return Request("GET", f"{place.collection}?{'&'.join(chosen)}", accept=accept)


def watch_refused(rng: Random, place: Place, memory: Memory) -> Request:
    """Ask for a watch that is refused."""
    wrong = (
        *("resourceVersion=x", "sendInitialEvents=true", "resourceVersionMatch=Exact", "continue=x", "limit=x"),
        *("resourceVersionMatch=NotOlderThan", "labelSelector=a b", "fieldSelector=spec.x=1", "timeoutSeconds=x"),
        *("sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1", "sendInitialEvents=maybe"),
    )
    return Request("GET", f"{place.collection}?watch=true&{rng.choice(wrong)}")


def initial(rng: Random, place: Place, memory: Memory) -> Request:
    """Watch from the beginning, up to the bookmark behind what is there."""
    query = (
        "watch=true&timeoutSeconds=4&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    )
    if not place.subject.namespaced:
        query += f"&labelSelector=of={place.namespace}"
    return Request("GET", f"{place.collection}?{query}", watch="initial-events-end")


def since(rng: Random, place: Place, memory: Memory, name: str) -> Request:
    """Watch what came after a version, up to an event about an object that was made last."""
    versions = sorted({v for each in memory.versions.values() for v in each[:-1]}, key=int)
    # Of databases a real server counts a version more: see allowed.py.
    version = memory.first if place.subject.status is not None else rng.choice([memory.first, memory.first, *versions])
    query = f"watch=true&timeoutSeconds=4&resourceVersion={version}"
    if not place.subject.namespaced:
        query += f"&labelSelector=of={place.namespace}"
    elif rng.random() < 0.2:
        query += "&labelSelector=" + rng.choice(["app=db", "!app", "app!=web"]) + ",of!=x"
    return Request("GET", f"{place.collection}?{query}", watch=name)


def wrong(rng: Random, place: Place, memory: Memory) -> Request:
    """Send what is no request: a body that cannot be read, of a wrong type, or where none is served."""
    path = place.path(rng)
    body = place.body(rng, path.rpartition("/")[2])
    return rng.choice(
        [
            *(Request("POST", place.collection, sent) for sent in (b"", b"{", b"[]", b"null", b"1", b'"x"', b"{}")),
            *(Request("POST", place.collection, body, kind) for kind in ("text/plain", "application/xml", MERGE)),
            Request("POST", place.collection, body, "application/json; charset=utf-8"),
            Request("POST", place.collection, b"a: [", "application/yaml"),
            *(Request("PUT", path, sent) for sent in (b"", b"{", b"[]", b"{}", b"null")),
            *(Request("PATCH", path, sent, MERGE) for sent in (b"", b"{", b"[]", b"null", b"{}", b"1")),
            *(Request("PATCH", path, sent, PATCH) for sent in (b"", b"{", b"{}", b"[]", b"null", b"[1]", b"[{}]")),
            *(
                Request("PATCH", f"{path}?fieldManager=m", sent, APPLY)
                for sent in (b"", b"a: [", b"[]", b"null", b"{}")
            ),
            *(Request("PATCH", path, body, kind) for kind in (JSON, "text/plain", "application/yaml")),
            *(Request("PATCH", f"{path}?fieldManager=m&force={force}", body, MERGE) for force in ("true", "x")),
            *(
                Request(method, place.collection, body, MERGE if method == "PATCH" else JSON)
                for method in ("PUT", "PATCH")
            ),
            *(Request("POST", path, body), Request("DELETE", path, b"{"), Request("DELETE", path, b"[]")),
            *(Request("GET", place.collection, accept=kind) for kind in ("text/html", "application/*", "*/*")),
            *(
                Request("POST", f"{path}/status", body),
                Request("DELETE", f"{path}/status"),
                Request("PUT", f"{path}/x", {}),
            ),
            Request("GET", f"{place.subject.group}/nothings"),
            Request("GET", f"{place.subject.group}/namespaces/absent/{place.subject.plural}"),
            Request("POST", f"{place.subject.group}/namespaces/absent/{place.subject.plural}", body),
            Request("HEAD", path),
            Request("OPTIONS", path),
        ]
    )
