"""CustomResourceDefinitions: what makes one valid, how it comes and how it goes."""
# ruff: noqa: E501 (tables have one case a line)

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.kubernetes.server import MERGE, Api, eventually
from conformance.kubernetes.things import DEFINITIONS, definition, fields

Json = dict[str, Any]


@pytest.fixture
def group(api: Api) -> Iterator[str]:
    """A group of a test's own; what the test defines in it goes with it."""
    name = f"g{secrets.token_hex(4)}.statefuldb.dev"
    yield name
    for plural in ("things", "others"):
        api.call("DELETE", f"{DEFINITIONS}/{plural}.{name}")


def _version(crd: Json) -> Json:
    version: Json = crd["spec"]["versions"][0]
    return version


def _spec(crd: Json) -> Json:
    spec: Json = _version(crd)["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


def _rule(crd: Json, rule: str) -> None:
    _spec(crd)["x-kubernetes-validations"] = [{"rule": rule}]


def _second_storage(crd: Json) -> None:
    crd["spec"]["versions"].append({**_version(crd), "name": "v2"})


SCHEMA = "spec.validation.openAPIV3Schema.properties[spec]"
BAD: list[tuple[str, Callable[[Json], Any], str, str]] = [
    ("no schema", lambda c: _version(c).pop("schema"), "spec.versions[0].schema.openAPIV3Schema", "Required value"),
    ("name", lambda c: c["metadata"].update(name="foo.x.dev"), "metadata.name", 'must be spec.names.plural+"."+spec.group'),
    ("no type", lambda c: _spec(c).pop("type"), f"{SCHEMA}.type", "must not be empty for specified object fields"),
    ("two storage", _second_storage, "spec.versions", "must have exactly one version marked as storage version"),
    ("default", lambda c: _spec(c)["properties"]["replicas"].update(default="x"), f"{SCHEMA}.properties[replicas].default", 'must be of type integer: "string"'),
    ("CEL field", lambda c: _rule(c, "self.nope == 1"), f"{SCHEMA}.x-kubernetes-validations[0].rule", "undefined field 'nope'"),
    ("CEL syntax", lambda c: _rule(c, "self.engine =="), f"{SCHEMA}.x-kubernetes-validations[0].rule", "compilation failed"),
    ("json path", lambda c: _version(c)["additionalPrinterColumns"][0].update(jsonPath="spec.engine"), "spec.additionalPrinterColumns[0].JSONPath", "must be a simple json path starting with ."),
    ("both properties", lambda c: _spec(c).update(additionalProperties={"type": "string"}), f"{SCHEMA}.additionalProperties", "additionalProperties and properties are mutual exclusive"),
    ("scope", lambda c: c["spec"].update(scope="Bogus"), "spec.scope", 'Unsupported value: "Bogus": supported values: "Cluster", "Namespaced"'),
    ("oneOf", lambda c: _spec(c).update(oneOf=[{"type": "object"}]), f"{SCHEMA}.oneOf[0].type", "Forbidden: must be empty to be structural"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field", "message"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_definition_is_422(api: Api, group: str, change: Callable[[Json], Any], field: str, message: str) -> None:
    crd = definition("others", group)
    change(crd)
    status, error = api.call("POST", DEFINITIONS, crd)
    assert (status, error["reason"]) == (422, "Invalid")
    assert error["details"]["kind"] == "CustomResourceDefinition"
    assert field in fields(error)
    assert message in error["message"]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["spec"].update(nope=1),
        lambda c: _spec(c)["properties"]["template"].update(additionalProperties={"type": "string"}),
    ],
    ids=["unknown field", "additionalProperties beside what is preserved"],
)
def test_some_oddities_are_accepted(api: Api, group: str, change: Callable[[Json], Any]) -> None:
    crd = definition("others", group)
    change(crd)
    assert api.call("POST", DEFINITIONS, crd)[0] == 201


def test_protected_groups_and_old_versions_are_refused(api: Api, group: str) -> None:
    status, error = api.call("POST", DEFINITIONS, definition("others", "foo.k8s.io"))
    assert (status, fields(error)) == (422, ["metadata.annotations[api-approved.kubernetes.io]"])
    old = {**definition("others", group), "apiVersion": "apiextensions.k8s.io/v1beta1"}
    status, error = api.call("POST", DEFINITIONS, old)
    assert (status, error["reason"]) == (400, "BadRequest")
    assert "does not match the expected API version (apiextensions.k8s.io/v1)" in error["message"]


def test_it_gets_established_and_is_served(api: Api, group: str) -> None:
    made = api.made(DEFINITIONS, definition("others", group))
    assert made["spec"]["conversion"] == {"strategy": "None"}
    assert made["metadata"]["generation"] == 1

    def status() -> Json:
        found: Json = api.call("GET", f"{DEFINITIONS}/others.{group}")[1]["status"]
        return found

    def said() -> dict[str, str]:
        return {condition["type"]: condition["status"] for condition in status().get("conditions") or []}

    eventually(lambda: said() == {"NamesAccepted": "True", "Established": "True"})
    assert status()["storedVersions"] == ["v1"]
    names = status()["acceptedNames"]
    assert (names["listKind"], names["singular"]) == ("OtherList", "other")
    eventually(lambda: api.call("GET", f"/apis/{group}/v1")[0] == 200)


def test_a_version_that_is_no_longer_served_is_gone(api: Api, group: str) -> None:
    crd = definition("others", group)
    crd["spec"]["versions"].append({**_version(crd), "name": "v2", "storage": False})
    api.made(DEFINITIONS, crd)
    eventually(lambda: api.call("GET", f"/apis/{group}/v2")[0] == 200)
    crd["spec"]["versions"][1]["served"] = False
    api.patched(f"{DEFINITIONS}/others.{group}", {"spec": {"versions": crd["spec"]["versions"]}})
    eventually(lambda: api.call("GET", f"/apis/{group}/v2")[0] == 404)
    # A real server answers 429 until its storage of the version that stays is set up anew.
    eventually(lambda: api.call("GET", f"/apis/{group}/v1/others")[0] == 200)


def test_watches_end_with_their_definition(api: Api, group: str) -> None:
    api.made(DEFINITIONS, definition("others", group))
    path = f"/apis/{group}/v1/others"
    eventually(lambda: api.call("GET", path)[0] == 200)
    version = api.call("GET", path)[1]["metadata"]["resourceVersion"]
    with api.watch(f"{path}?watch=true&resourceVersion={version}&timeoutSeconds=300") as events:
        api.call("DELETE", f"{DEFINITIONS}/others.{group}")
        assert list(events) == []


def test_its_deletion_takes_its_objects_along(api: Api, group: str, namespace: str) -> None:
    crd = f"{DEFINITIONS}/others.{group}"
    space = f"/apis/{group}/v1/namespaces/{namespace}/others"
    api.made(DEFINITIONS, definition("others", group))
    eventually(lambda: api.call("GET", space)[0] == 200)
    body = {"apiVersion": f"{group}/v1", "kind": "Other", "spec": {"engine": "mysql"}}
    api.made(space, {**body, "metadata": {"name": "gone"}})
    api.made(space, {**body, "metadata": {"name": "waits", "finalizers": ["a.dev/x"]}})
    status, dying = api.call("DELETE", crd)
    assert status == 200
    assert dying["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    eventually(lambda: "Terminating" in {c["type"] for c in api.call("GET", crd)[1]["status"]["conditions"]})
    eventually(lambda: api.call("GET", f"{space}/gone")[0] == 404)
    eventually(lambda: "deletionTimestamp" in api.call("GET", f"{space}/waits")[1]["metadata"])
    status, error = api.call("POST", space, {**body, "metadata": {"name": "late"}})
    assert (status, error["reason"]) == (403, "Forbidden")
    assert error["message"].endswith("create not allowed while custom resource definition is terminating")
    api.call("PATCH", f"{space}/waits", {"metadata": {"finalizers": None}}, MERGE)
    eventually(lambda: api.call("GET", crd)[0] == 404)
    eventually(lambda: api.send("GET", f"/apis/{group}").status == 404)
    assert api.send("GET", f"/apis/{group}").text == "404 page not found\n"
