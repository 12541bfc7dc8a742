"""Discovery, health, version and OpenAPI."""

import pytest

from conformance.kubernetes.server import Api
from conformance.kubernetes.things import GROUP, GROUP_NAME, thing

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
SUBRESOURCE_VERBS = ["get", "patch", "update"]
VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health(api: Api, path: str) -> None:
    answer = api.send("GET", path)
    assert (answer.status, answer.text) == (200, "ok")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/version", "/version/"])
def test_version(api: Api, path: str) -> None:
    status, version = api.call("GET", path)
    assert status == 200
    assert version["major"] == "1"
    assert version["gitVersion"].startswith("v1.")
    assert {"minor", "platform", "gitCommit", "buildDate", "goVersion"} <= set(version)


def test_the_core_group_and_the_others(api: Api) -> None:
    status, core = api.call("GET", "/api")
    assert (status, core["kind"], core["versions"]) == (200, "APIVersions", ["v1"])
    status, groups = api.call("GET", "/apis")
    assert (status, groups["kind"]) == (200, "APIGroupList")
    version = {"groupVersion": f"{GROUP_NAME}/v1", "version": "v1"}
    (ours,) = [group for group in groups["groups"] if group["name"] == GROUP_NAME]
    assert ours == {"name": GROUP_NAME, "versions": [version], "preferredVersion": version}
    status, one = api.call("GET", f"/apis/{GROUP_NAME}")
    assert one == {"kind": "APIGroup", "apiVersion": "v1", **ours}


def test_the_resources_of_a_version(api: Api) -> None:
    _, listed = api.call("GET", GROUP)
    assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", f"{GROUP_NAME}/v1")
    main, *below = listed["resources"]
    assert {k: v for k, v in main.items() if k != "storageVersionHash"} == {
        "name": "things",
        "singularName": "thing",
        "namespaced": True,
        "kind": "Thing",
        "verbs": VERBS,
        "shortNames": ["xthi"],
        "categories": ["all", "testing"],
    }
    assert {r["name"]: (r["kind"], r["verbs"], r.get("group")) for r in below} == {
        "things/status": ("Thing", SUBRESOURCE_VERBS, None),
        "things/scale": ("Scale", SUBRESOURCE_VERBS, "autoscaling"),
    }


@pytest.mark.parametrize(
    ("version", "name", "kind", "short"),
    [
        ("/api/v1", "namespaces", "Namespace", "ns"),
        ("/api/v1", "events", "Event", "ev"),
        ("/api/v1", "configmaps", "ConfigMap", "cm"),
        ("/api/v1", "secrets", "Secret", ""),
        ("/apis/events.k8s.io/v1", "events", "Event", "ev"),
        ("/apis/coordination.k8s.io/v1", "leases", "Lease", ""),
        ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", "crd"),
    ],
)
def test_built_in_kinds(api: Api, version: str, name: str, kind: str, short: str) -> None:
    found = {r["name"]: r for r in api.call("GET", version)[1]["resources"]}[name]
    assert found["kind"] == kind
    assert {"get", "list", "watch", "create", "update", "patch", "delete"} <= set(found["verbs"])
    assert not short or short in found["shortNames"]


def test_everything_in_one_document(api: Api) -> None:
    answer = api.send("GET", "/apis", Accept=AGGREGATED)
    assert answer.status == 200
    assert "as=APIGroupDiscoveryList" in answer.headers["Content-Type"]
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    (ours,) = [item for item in answer.body["items"] if item["metadata"]["name"] == GROUP_NAME]
    about = {"group": GROUP_NAME, "version": "v1", "kind": "Thing"}
    scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    (version,) = ours["versions"]
    assert (version["version"], version["freshness"]) == ("v1", "Current")
    (resource,) = version["resources"]
    below = {s["subresource"]: (s["responseKind"], s["verbs"]) for s in resource.pop("subresources")}
    assert below == {"status": (about, SUBRESOURCE_VERBS), "scale": (scale, SUBRESOURCE_VERBS)}
    assert resource == {
        "resource": "things",
        "responseKind": about,
        "scope": "Namespaced",
        "singularResource": "thing",
        "verbs": VERBS,
        "shortNames": ["xthi"],
        "categories": ["all", "testing"],
    }
    tag = answer.headers["ETag"]
    assert tag
    assert api.send("GET", "/apis", Accept=AGGREGATED, If_None_Match=tag).status == 304


def test_the_core_group_in_one_document(api: Api) -> None:
    body = api.send("GET", "/api", Accept=AGGREGATED).body
    (version,) = body["items"][0]["versions"]
    found = {r["resource"]: r for r in version["resources"]}
    assert found["events"]["scope"] == "Namespaced"
    assert found["namespaces"]["scope"] == "Cluster"
    assert found["namespaces"]["shortNames"] == ["ns"]
    assert "finalize" in {below["subresource"] for below in found["namespaces"]["subresources"]}


@pytest.mark.parametrize(
    "path", ["/nope", "/apis/nope.dev", "/apis/nope.dev/v1", f"/apis/{GROUP_NAME}/v2", f"{GROUP}/nopes"]
)
def test_what_is_not_served_is_404_in_plain_text(api: Api, path: str) -> None:
    answer = api.send("GET", path)
    assert (answer.status, answer.text) == (404, "404 page not found\n")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_below_api_a_404_is_a_status(api: Api) -> None:
    status, error = api.call("GET", "/api/v2")
    assert (status, error["reason"]) == (404, "NotFound")
    assert error["message"] == "the server could not find the requested resource"


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        ("*/*", 200, "application/json"),
        ("application/yaml", 200, "application/yaml"),
        ("text/html", 406, "application/json"),
        ("application/cbor", 406, "application/json"),
        ("application/vnd.kubernetes.protobuf,application/json", 200, "application/json"),
    ],
)
def test_forms_of_an_answer(api: Api, space: str, accept: str, status: int, content_type: str) -> None:
    api.made(space, thing("one"))
    for path in (space, f"{space}/one"):
        answer = api.send("GET", path, Accept=accept)
        assert answer.status == status
        assert answer.headers["Content-Type"].startswith(content_type)
        if status == 406:
            assert answer.body["reason"] == "NotAcceptable"
            assert answer.body["message"].startswith("only the following media types are accepted: application/json")
        elif content_type == "application/yaml":
            assert answer.text.startswith(f"apiVersion: {GROUP_NAME}/v1\n")


def test_openapi_has_a_document_for_each_version(api: Api) -> None:
    _, index = api.call("GET", "/openapi/v3")
    place = index["paths"][f"apis/{GROUP_NAME}/v1"]["serverRelativeURL"]
    assert place.startswith(f"/openapi/v3/apis/{GROUP_NAME}/v1?hash=")
    status, document = api.call("GET", place)
    assert (status, document["openapi"][0]) == (200, "3")
    base = f"{GROUP}/namespaces/{{namespace}}/things"
    assert {base, f"{base}/{{name}}", f"{base}/{{name}}/scale", f"{base}/{{name}}/status", f"{GROUP}/things"} <= set(
        document["paths"]
    )
    schemas = document["components"]["schemas"]
    (ours,) = [s for name, s in schemas.items() if name.endswith(".v1.Thing")]
    assert ours["x-kubernetes-group-version-kind"] == [{"group": GROUP_NAME, "kind": "Thing", "version": "v1"}]
    assert ours["properties"]["spec"]["properties"]["engine"]["description"] == "Database engine."
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" in schemas
    options = {parameter["name"] for parameter in document["paths"][f"{base}/{{name}}"]["patch"]["parameters"]}
    assert {"dryRun", "fieldManager", "fieldValidation", "force"} <= options, "kubectl looks for them"
