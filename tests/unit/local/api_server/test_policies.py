"""The admission policies that ship with the definitions, as the embedded server judges by them."""

from dataclasses import replace
from typing import Any

import pytest

from statefuldb.local.api_server.admission.resource_rules import covers
from statefuldb.local.api_server.errors import ApiError
from statefuldb.model.identity import ANNOTATION_RELEASE
from statefuldb.model.schema import admission_policies
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent
from statefuldb.model.volume_object import to_object
from statefuldb.simulation.actors.people import database
from unit.local.api_server.world import World
from unit.planning.world import serving_on

Json = dict[str, Any]
NAME = "orders-0-1a2b3c4d"


@pytest.fixture
def world() -> World:
    one = World.of_ours()
    for policy, binding in admission_policies().values():
        one.create("validatingadmissionpolicies", policy)
        one.create("validatingadmissionpolicybindings", binding)
    return one


def entry(world: World, intent: str) -> None:
    body: Json = to_object(replace(serving_on(Strategy.PERSISTENT_VOLUME)[0], name=NAME, intent=Intent(intent)))
    body["metadata"]["namespace"] = "home"
    world.create("databasevolumes", body)


@pytest.mark.parametrize("annotations", [None, {}, {"other": "x"}, {ANNOTATION_RELEASE: "something-else"}])
def test_retained_data_is_not_given_up_without_its_name(world: World, annotations: Json | None) -> None:
    entry(world, "Retain")
    patch = {"metadata": {"annotations": annotations}, "spec": {"intent": "Delete"}}
    with pytest.raises(ApiError) as refused:
        world.patch("databasevolumes", NAME, patch)
    assert refused.value.code == 403
    assert "retained data is destroyed by name only: statefuldb volumes release NAME" in str(refused.value)


def test_it_is_given_up_by_name(world: World) -> None:
    entry(world, "Retain")
    patch = {"metadata": {"annotations": {ANNOTATION_RELEASE: NAME}}, "spec": {"intent": "Delete"}}
    assert world.patch("databasevolumes", NAME, patch)["spec"]["intent"] == "Delete"


@pytest.mark.parametrize(("before", "after"), [("Use", "Delete"), ("Use", "Retain"), ("Retain", "Use")])
def test_what_the_operator_does_needs_no_name(world: World, before: str, after: str) -> None:
    entry(world, before)
    assert world.patch("databasevolumes", NAME, {"spec": {"intent": after}})["spec"]["intent"] == after


PLURALS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
RULE = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["UPDATE"]}


@pytest.mark.parametrize(
    ("resources", "object_itself", "its_status"),
    [
        (["statefuldatabases"], True, False),
        (["statefuldatabases/status"], False, True),
        (["statefuldatabases/*"], False, True),
        (["*/status"], False, True),
        (["*"], True, False),
        (["*/*"], True, True),
        (["statefuldatabases/scale", "databasevolumes"], False, False),
    ],
)
def test_a_rule_about_an_object_is_none_about_its_status(
    world: World, resources: list[str], object_itself: bool, its_status: bool
) -> None:
    rule = {**RULE, "resources": resources}
    kind = world.kind("statefuldatabases")
    assert (covers(rule, kind, "UPDATE", ""), covers(rule, kind, "UPDATE", "status")) == (object_itself, its_status)
    assert not covers(rule, kind, "DELETE", "")
    assert not covers({**rule, "apiGroups": ["apps"]}, kind, "UPDATE", "")
    assert not covers({**rule, "scope": "Cluster"}, kind, "UPDATE", "")


def test_a_policy_about_databases_does_not_judge_what_is_written_of_them(world: World) -> None:
    rules = [{**RULE, "resources": ["statefuldatabases"]}]
    judged = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "false"}]}
    bound = {"policyName": "frozen", "validationActions": ["Deny"]}
    world.create("statefuldatabases", database("orders", "PersistentVolume"))
    for kind, spec in (("ValidatingAdmissionPolicy", judged), ("ValidatingAdmissionPolicyBinding", bound)):
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": "frozen"},
            "spec": spec,
        }
        world.create(PLURALS[kind], body)
    status = {"status": {"phase": "Ready"}}
    assert world.patch("statefuldatabases", "orders", status, subresource="status")["metadata"]["name"] == "orders"
    with pytest.raises(ApiError, match="denied request: failed expression: false"):
        world.patch("statefuldatabases", "orders", {"spec": {"replicas": 0}})


def test_a_policy_leaves_nothing_in_its_rules_for_the_api_to_fill_in() -> None:
    """A list is compared whole: every apply of the same found a difference, and Argo CD as well."""
    filled_in = {"apiGroups", "apiVersions", "operations", "resources", "scope"}
    policies: list[Json] = [policy for policy, _ in admission_policies().values()]
    rules = [rule for policy in policies for rule in policy["spec"]["matchConstraints"]["resourceRules"]]
    assert [set(rule) for rule in rules] == [filled_in] * 2
