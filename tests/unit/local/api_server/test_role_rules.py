"""What a role and a binding must be: one that says nothing of a role would be stumbled over at every request."""

from typing import Any

import pytest

from statefuldb.local.api_server.errors import ApiError
from unit.local.api_server.world import World

Json = dict[str, Any]
ROLE = {"kind": "Role", "name": "reader"}
ADA = {"kind": "User", "name": "ada"}
GROUP = "rbac.authorization.k8s.io"


def causes(world: World, plural: str, **body: Any) -> set[tuple[str, str]]:
    with pytest.raises(ApiError) as error:
        world.create(plural, {"metadata": {"name": "a"}, **body})
    assert error.value.code == 422
    return {(c["field"], c["message"]) for c in (error.value.details or {})["causes"]}


@pytest.mark.parametrize(
    ("reference", "field", "message"),
    [
        ({}, "roleRef.name", "Required value"),
        ({"kind": "Role", "name": "a/b"}, "roleRef.name", "Invalid value: \"a/b\": may not contain '/'"),
        (
            {**ROLE, "kind": "Other"},
            "roleRef.kind",
            'Unsupported value: "Other": supported values: "Role", "ClusterRole"',
        ),
        ({**ROLE, "apiGroup": "x"}, "roleRef.apiGroup", f'Unsupported value: "x": supported values: "{GROUP}"'),
    ],
)
def test_a_binding_names_a_role(reference: Json, field: str, message: str) -> None:
    assert (field, message) in causes(World(), "rolebindings", roleRef=reference, subjects=[ADA])


def test_a_binding_without_a_role_is_refused() -> None:
    assert {field for field, _ in causes(World(), "clusterrolebindings")} == {"roleRef.kind", "roleRef.name"}


def test_a_binding_of_the_cluster_names_a_role_of_the_cluster() -> None:
    ((field, message),) = causes(World(), "clusterrolebindings", roleRef=ROLE)
    assert (field, message) == ("roleRef.kind", 'Unsupported value: "Role": supported values: "ClusterRole"')


@pytest.mark.parametrize(
    ("subject", "fields"),
    [
        ({}, {"subjects[0].kind", "subjects[0].name"}),
        ({"kind": "Other", "name": "x"}, {"subjects[0].kind"}),
        ({"kind": "User", "apiGroup": "v1", "name": "x"}, {"subjects[0].apiGroup"}),
        ({"kind": "ServiceAccount", "name": "A_", "namespace": "n"}, {"subjects[0].name"}),
        ({"kind": "ServiceAccount", "name": "x", "apiGroup": "v1"}, {"subjects[0].apiGroup", "subjects[0].namespace"}),
    ],
)
def test_subjects_are_named_in_full(subject: Json, fields: set[str]) -> None:
    cluster_role = {"kind": "ClusterRole", "name": "reader"}
    told = causes(World(), "clusterrolebindings", roleRef=cluster_role, subjects=[subject])
    assert {field for field, _ in told} == fields


def test_what_may_be_left_out_of_a_binding_is_filled_in() -> None:
    account = {"kind": "ServiceAccount", "name": "op"}
    made = World().create("rolebindings", {"metadata": {"name": "a"}, "roleRef": ROLE, "subjects": [ADA, account]})
    assert made["roleRef"] == {"apiGroup": GROUP, **ROLE}
    assert made["subjects"] == [{**ADA, "apiGroup": GROUP}, account]


def test_a_binding_stays_with_its_role() -> None:
    world = World()
    world.create("rolebindings", {"metadata": {"name": "a"}, "roleRef": ROLE})
    with pytest.raises(ApiError) as error:
        world.patch("rolebindings", "a", {"roleRef": {"name": "writer"}})
    assert "cannot change roleRef" in str(error.value)


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ({"verbs": []}, {"verbs", "apiGroups", "resources"}),
        ({"verbs": ["get"], "resources": ["a"]}, {"apiGroups"}),
        ({"verbs": ["get"], "nonResourceURLs": ["/x"]}, {"nonResourceURLs"}),
    ],
)
def test_a_rule_says_what_may_be_done_to_what(rule: Json, fields: set[str]) -> None:
    told = causes(World(), "roles", rules=[rule])
    assert {field for field, _ in told} == {f"rules[0].{name}" for name in fields}


def test_a_role_of_the_cluster_may_be_about_paths() -> None:
    world = World()
    world.create("clusterroles", {"metadata": {"name": "b"}, "rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]})
    both = {"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["a"], "apiGroups": [""]}
    ((field, _),) = causes(world, "clusterroles", rules=[both])
    assert field == "rules[0].nonResourceURLs"
