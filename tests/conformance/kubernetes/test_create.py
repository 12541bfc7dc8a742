"""Creation: what the server sets, what it refuses, and in which words."""
# ruff: noqa: E501 (tables have one case a line)

import json
from typing import Any

import pytest

from conformance.kubernetes.server import Api
from conformance.kubernetes.things import GROUP, GROUP_NAME, fields, thing


def test_the_server_sets_metadata_and_defaults(api: Api, space: str) -> None:
    made = api.made(space, {**thing("one"), "status": {"phase": "X"}})
    metadata = made["metadata"]
    assert metadata["generation"] == 1
    assert len(metadata["uid"]) == 36
    assert metadata["creationTimestamp"].endswith("Z")
    assert metadata["resourceVersion"].isdigit()
    assert made["spec"] == {"engine": "postgres", "version": "16", "replicas": 1, "minReplicas": 0}
    assert "status" not in made


def test_defaults_reach_into_lists_and_fill_nulls(api: Api, space: str) -> None:
    made = api.made(space, thing("one", users=[{"name": "a"}], version=None, replicas=None, comment=None))
    assert made["spec"]["users"] == [{"name": "a", "role": "reader"}]
    assert (made["spec"]["version"], made["spec"]["replicas"]) == ("16", 1)
    assert made["spec"]["comment"] is None, "a nullable field keeps its null"


def test_what_a_client_says_of_server_fields_is_ignored(api: Api, space: str) -> None:
    body = thing("one")
    body["metadata"] |= {"uid": "mine", "generation": 7, "creationTimestamp": "2001-01-01T00:00:00Z"}
    metadata = api.made(space, body)["metadata"]
    assert metadata["uid"] != "mine"
    assert metadata["generation"] == 1
    assert not metadata["creationTimestamp"].startswith("2001")


def test_a_name_is_taken_once(api: Api, space: str) -> None:
    api.made(space, thing("one"))
    for path in (space, f"{space}/one"):
        status, error = api.call("POST", path, thing("one"))
        assert (status, error["reason"]) == (409, "AlreadyExists")
        assert error["message"] == f'things.{GROUP_NAME} "one" already exists'
        assert error["details"] == {"group": GROUP_NAME, "kind": "things", "name": "one"}


def test_unknown_fields_are_pruned_with_a_warning(api: Api, space: str) -> None:
    body = {**thing("one", users=[{"name": "a", "bogus": 1}], junk=5, template={"any": {"thing": 1}}), "top": "x"}
    answer = api.send("POST", space, body)
    assert answer.status == 201
    text = ", ".join(answer.warnings)
    for path in ("spec.junk", "spec.users[0].bogus", "top"):
        assert f'299 - "unknown field \\"{path}\\""' in text
    spec = answer.body["spec"]
    assert "junk" not in spec
    assert "bogus" not in spec["users"][0]
    assert spec["template"] == {"any": {"thing": 1}}, "preserved as declared"
    assert "top" not in answer.body


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (thing("one", junk=5, users=[{"name": "a", "bogus": 1}]), ["spec.junk", "spec.users[0].bogus"]),
        ({**thing("one"), "metadata": {"name": "one", "foo": 1}}, ["metadata.foo"]),
    ],
)
def test_strict_validation_refuses_unknown_fields(api: Api, space: str, body: Any, problems: list[str]) -> None:
    status, error = api.call("POST", f"{space}?fieldValidation=Strict", body)
    assert (status, error["reason"]) == (400, "BadRequest")
    listed = ", ".join(f'unknown field "{path}"' for path in problems)
    assert error["message"].endswith(f"strict decoding error: {listed}")
    assert error["message"].startswith('Thing in version "v1" cannot be handled as a Thing')


def test_strict_validation_refuses_a_field_that_comes_twice(api: Api, space: str) -> None:
    text = json.dumps(thing("one")).replace('"engine": "postgres"', '"engine": "mysql", "engine": "postgres"')
    status, error = api.call("POST", f"{space}?fieldValidation=Strict", text.encode())
    assert (status, error["reason"]) == (400, "BadRequest")
    assert 'duplicate field "spec.engine"' in error["message"]
    answer = api.send("POST", space, text.encode())
    assert answer.status == 201
    assert any("duplicate field" in warning for warning in answer.warnings)


def test_field_validation_may_warn_or_say_nothing(api: Api, space: str) -> None:
    assert api.send("POST", f"{space}?fieldValidation=Warn&dryRun=All", thing("one", junk=1)).warnings
    assert not api.send("POST", f"{space}?fieldValidation=Ignore&dryRun=All", thing("one", junk=1)).warnings
    status, error = api.call("POST", f"{space}?fieldValidation=Bogus", thing("one"))
    assert (status, fields(error)) == (422, ["fieldValidation"])
    assert error["details"]["kind"] == "CreateOptions"


def test_a_dry_run_checks_all_and_stores_nothing(api: Api, space: str) -> None:
    status, made = api.call("POST", f"{space}?dryRun=All", thing("one"))
    assert status == 201
    assert made["metadata"]["uid"]
    assert made["metadata"]["generation"] == 1
    assert "resourceVersion" not in made["metadata"]
    assert api.call("GET", f"{space}/one")[0] == 404
    assert api.call("POST", f"{space}?dryRun=All", thing("one", engine="oracle"))[0] == 422
    assert api.call("POST", f"{space}?dryRun=Some", thing("one"))[0] == 422


BAD: list[tuple[Any, str, str, str]] = [
    ({"engine": "oracle"}, "spec.engine", "FieldValueNotSupported", 'Unsupported value: "oracle": supported values: "postgres", "mysql"'),
    ({"replicas": -1}, "spec.replicas", "FieldValueInvalid", "Invalid value: -1: spec.replicas in body should be greater than or equal to 0"),
    ({"replicas": 500}, "spec.replicas", "FieldValueInvalid", "Invalid value: 500: spec.replicas in body should be less than or equal to 100"),
    ({"replicas": "2"}, "spec.replicas", "FieldValueTypeInvalid", 'Invalid value: "string": spec.replicas in body must be of type integer: "string"'),
    ({"replicas": 1.5}, "spec.replicas", "FieldValueTypeInvalid", 'Invalid value: "float64": spec.replicas in body must be of type int32: "float64"'),
    ({"minReplicas": 3}, "spec.replicas", "FieldValueInvalid", "Invalid value: postgres: replicas must be >= minReplicas"),
    ({"users": [{"name": "a"}, {"name": "a"}]}, "spec.users[1]", "FieldValueDuplicate", 'Duplicate value: {"name":"a"}'),
    ({"users": [{"name": "a", "tags": ["x", "x"]}]}, "spec.users[0].tags[1]", "FieldValueDuplicate", 'Duplicate value: "x"'),
    ({"users": [{"role": "x"}]}, "spec.users[0].name", "FieldValueRequired", "Required value"),
    ({"version": "x"}, "spec.version", "FieldValueInvalid", "Invalid value: \"x\": spec.version in body should match '^[0-9]+(\\.[0-9]+)*$'"),
    ({"options": {"a": "x" * 65}}, "spec.options.a", "FieldValueTooLong", "Too long: may not be more than 64 bytes"),
    ({"steps": ["a", "b", "c", "d"]}, "spec.steps", "FieldValueTooMany", "Too many: 4: must have at most 3 items"),
    ({"storage": True}, "spec.storage", "FieldValueTypeInvalid", ""),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "field", "reason", "message"), BAD, ids=[f"{b[1]}-{i}" for i, b in enumerate(BAD)])
def test_a_bad_value_is_422_and_names_its_field(
    api: Api, space: str, spec: dict[str, Any], field: str, reason: str, message: str
) -> None:
    status, error = api.call("POST", f"{space}?dryRun=All", thing("one", **spec))
    assert (status, error["reason"]) == (422, "Invalid")
    about = {name: error["details"][name] for name in ("name", "group", "kind")}
    assert about == {"name": "one", "group": GROUP_NAME, "kind": "Thing"}
    found = [c for c in error["details"]["causes"] if (c["field"], c["reason"]) == (field, reason)]
    assert found, error
    assert any(cause["message"].startswith(message) for cause in found)
    assert error["message"].startswith(f'Thing.{GROUP_NAME} "one" is invalid: ')
    assert f"{field}: {message}" in error["message"]


@pytest.mark.parametrize(("body", "field"), [({"spec": {}}, "spec.engine"), ({}, "spec")])
def test_a_missing_value_is_422_and_stops_the_rules(api: Api, space: str, body: dict[str, Any], field: str) -> None:
    whole = {"apiVersion": f"{GROUP_NAME}/v1", "kind": "Thing", "metadata": {"name": "one"}, **body}
    status, error = api.call("POST", f"{space}?dryRun=All", whole)
    assert status == 422
    first, second = error["details"]["causes"]
    assert first == {"field": field, "message": "Required value", "reason": "FieldValueRequired"}
    assert second["field"] == "<nil>"
    assert "some validation rules were not checked" in second["message"]


def test_replicas_must_fit_the_scale_too(api: Api, space: str) -> None:
    _, error = api.call("POST", space, thing("one", replicas=-1))
    assert ".spec.replicas" in fields(error)
    _, error = api.call("POST", space, thing("one", replicas="2"))
    assert ".spec.replicas accessor error: 2 is of the type string, expected int64" in error["message"]


@pytest.mark.parametrize(
    ("metadata", "field", "words"),
    [
        ({"name": "UPPER_case"}, "metadata.name", "a lowercase RFC 1123 subdomain must consist of"),
        ({}, "metadata.name", "name or generateName is required"),
        ({"name": "x", "labels": {"bad key!": "v"}}, "metadata.labels", "name part must consist of alphanumeric"),
        ({"name": "x", "finalizers": ["nodomain", "a/b/c"]}, "metadata.finalizers", '"a/b/c": a valid label key'),
        ({"name": "x", "annotations": {"a": "y" * 270000}}, "metadata.annotations", "more than 262144 bytes"),
    ],
)
def test_bad_metadata_is_422(api: Api, space: str, metadata: dict[str, Any], field: str, words: str) -> None:
    status, error = api.call("POST", space, {**thing("x"), "metadata": metadata})
    assert (status, error["reason"], fields(error)) == (422, "Invalid", [field])
    assert words in error["message"]


def test_names_are_generated(api: Api, space: str) -> None:
    body = {**thing("x"), "metadata": {"generateName": "gen-"}}
    first, second = (api.made(space, body)["metadata"]["name"] for _ in range(2))
    assert first != second
    assert first.startswith("gen-")
    assert len(first) == len("gen-") + 5


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"metadata": {"name": "x", "namespace": "other"}}, 400, "the namespace of the provided object does not match"),
        ({"kind": "Wrong"}, 422, 'kind: Invalid value: "Wrong": must be Thing'),
        ({"apiVersion": f"{GROUP_NAME}/v9"}, 400, f"the API version in the data ({GROUP_NAME}/v9) does not match"),
        ({"kind": ""}, 400, "Object 'Kind' is missing in"),
        ({"metadata": {"name": "x", "resourceVersion": "1"}}, 500, "resourceVersion should not be set"),
    ],
)
def test_body_and_url_must_agree(api: Api, space: str, change: dict[str, Any], status: int, message: str) -> None:
    body = {name: value for name, value in {**thing("x"), **change}.items() if value}
    code, error = api.call("POST", space, body)
    assert code == status
    assert message in error["message"]


def test_an_absent_namespace_is_404_to_write_and_empty_to_list(api: Api) -> None:
    path = f"{GROUP}/namespaces/conformance-absent/things"
    status, error = api.call("POST", path, thing("x"))
    assert (status, error["reason"]) == (404, "NotFound")
    assert error["message"] == 'namespaces "conformance-absent" not found'
    assert error["details"] == {"kind": "namespaces", "name": "conformance-absent"}
    status, listed = api.call("GET", path)
    assert (status, listed["items"]) == (200, [])


def test_bodies_may_be_json_or_yaml_and_nothing_else(api: Api, space: str) -> None:
    text = f"apiVersion: {GROUP_NAME}/v1\nkind: Thing\nmetadata: {{name: why}}\nspec: {{engine: mysql}}\n"
    status, made = api.call("POST", space, text.encode(), "application/yaml")
    assert (status, made["spec"]["engine"]) == (201, "mysql")
    status, error = api.call("POST", space, b"hi", "text/plain")
    assert (status, error["reason"]) == (415, "UnsupportedMediaType")
    assert "application/json, application/yaml" in error["message"]
    status, error = api.call("POST", space, b"{bad json")
    assert (status, error["reason"]) == (400, "BadRequest")


def test_bodies_have_a_limit(api: Api, space: str) -> None:
    status, error = api.call("POST", space, thing("x", template={"x": "y" * 3_200_000}))
    assert (status, error["reason"]) == (413, "RequestEntityTooLarge")
    assert error["message"] == "Request entity too large: limit is 3145728"
    assert api.call("POST", space, thing("x", template={"x": "y" * 1_600_000}))[0] == 500


def test_owners_and_finalizers_are_kept_as_sent(api: Api, space: str) -> None:
    owner = api.made(space, thing("owner"))
    body = thing("owned")
    reference = {"apiVersion": f"{GROUP_NAME}/v1", "kind": "Thing", "name": "owner", "uid": owner["metadata"]["uid"]}
    body["metadata"] |= {"finalizers": ["example.dev/f"], "ownerReferences": [reference]}
    metadata = api.made(space, body)["metadata"]
    assert metadata["finalizers"] == ["example.dev/f"]
    assert metadata["ownerReferences"] == [reference]
    api.patched(f"{space}/owned", {"metadata": {"finalizers": None}})


def test_paths_that_are_not_served(api: Api, space: str) -> None:
    api.made(space, thing("one"))
    for method, path in (("GET", f"{space}/nope"), ("DELETE", f"{space}/nope")):
        status, error = api.call(method, path)
        assert (status, error["reason"]) == (404, "NotFound")
        assert error["message"] == f'things.{GROUP_NAME} "nope" not found'
    assert api.call("GET", f"{space}/one/nosub")[0] == 404
    status, error = api.call("PUT", space, thing("one"))
    assert (status, error["message"]) == (400, "name must be provided")
