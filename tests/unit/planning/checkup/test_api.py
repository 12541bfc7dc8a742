"""What the doctor makes of the Kubernetes API: definitions, rights, clocks."""

import pytest

from statefuldb.model.permissions import questions
from statefuldb.planning.checkup.api import clock_finding, definition_finding, holds, rights_finding
from statefuldb.planning.checkup.findings import Verdict


def test_a_definition_is_current_if_it_holds_all_that_was_shipped() -> None:
    shipped = {"kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {"a": [{"b": 1}], "c": "d"}}
    stored = {"spec": {"a": [{"b": 1, "default": True}], "c": "d", "more": {}}}
    assert definition_finding(shipped, stored, "v1.33.1").verdict is Verdict.OK
    assert definition_finding(shipped, {"spec": {"a": [], "c": "d"}}, "v1.33.1").verdict is Verdict.AMISS
    assert definition_finding(shipped, None, "v1.29.4").remedy == "kubectl apply -f crds/"


@pytest.mark.parametrize(
    ("server", "verdict"),
    [("v1.29.9", Verdict.WARN), ("v1.30.0-gke.1", Verdict.AMISS), ("v1.33.1", Verdict.AMISS), ("", Verdict.AMISS)],
)
def test_a_policy_is_not_missed_where_a_server_has_none_such(server: str, verdict: Verdict) -> None:
    shipped = {"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}, "spec": {}}
    finding = definition_finding(shipped, None, server)
    assert finding.verdict is verdict
    assert ("RBAC" in finding.remedy) is (verdict is Verdict.WARN)
    assert not holds({"a": 1}, {"a": True, "b": 1})


def test_an_operator_that_is_confined_needs_rights_in_its_namespaces_alone() -> None:
    everywhere = [words for words, _ in questions("system", ())]
    confined = [attributes for _, attributes in questions("system", ("shop", "bank"))]
    assert "patch statefuldatabases" in everywhere
    assert "update configmaps statefuldb-framework in system" in everywhere
    assert {a["namespace"] for a in confined if a["resource"] == "databasevolumes"} == {"shop", "bank"}
    assert {(a["verb"], a["name"]) for a in confined if a["resource"] == "namespaces"} == {
        ("get", "shop"),
        ("get", "bank"),
    }
    everywhere_still = {a["resource"] for a in confined if not a["namespace"] and not a["name"]}
    assert everywhere_still == {"storageprofiles"}
    # As the chart grants it: without a watch profiles are listed every five minutes.
    assert {a["verb"] for a in confined if a["resource"] == "storageprofiles"} == {"list"}
    assert "watch storageprofiles" in everywhere


def test_rights_and_clocks() -> None:
    assert rights_finding("you", [], 30).verdict is Verdict.OK
    assert "get of secrets" in rights_finding("you", ["get of secrets"], 30).what
    assert [clock_finding("x", s).verdict for s in (0.4, 60.0, -60.0, None)] == [
        Verdict.OK,
        Verdict.AMISS,
        Verdict.AMISS,
        Verdict.UNKNOWN,
    ]
