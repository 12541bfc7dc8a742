"""What StorageProfiles allow, for whom, and what a refusal says."""

from dataclasses import replace
from typing import Any

import pytest

from statefuldb.model.actions import SaveVolume
from statefuldb.model.conditions import ConditionType, Reason
from statefuldb.model.identity import FINALIZER
from statefuldb.model.profile import StorageProfile, parse_profile
from statefuldb.model.spec import PlacementSpec, Retention, RetentionSpec, Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.desired import desired_of
from statefuldb.planning.planner import plan
from statefuldb.planning.profiles import profile_errors
from unit.planning.status.test_health import running
from unit.planning.test_planner import serving
from unit.planning.world import CLUSTER, OPERATOR, ROLE, database, spec

DELETES = RetentionSpec(when_deleted=Retention.DELETE)
MANIFEST: dict[str, Any] = {
    "engine": {"type": "MariaDB", "version": "10.11"},
    "resources": {"cpus": "500m", "memory": "512Mi"},
    "storage": {"strategy": "PersistentVolume", "size": "1Gi"},
    "retention": {"whenDeleted": "Delete"},
    "deletionProtection": "Disabled",
}


def profile(**bounds: Any) -> StorageProfile:
    return parse_profile("tenants", bounds)


@pytest.mark.parametrize(
    ("bounds", "strategy", "changes", "path"),
    [
        ({"strategies": ["DFS"]}, Strategy.HOST_PATH, {}, "spec.storage.strategy"),
        ({"hostPath": {"roots": ["/srv/other"]}}, Strategy.HOST_PATH, {}, "spec.storage.hostPath.path"),
        ({"hostPath": {"roots": ["/srv/d"]}}, Strategy.HOST_PATH, {}, "spec.storage.hostPath.path"),
        ({"dfs": {"mountPoints": ["/mnt/other"]}}, Strategy.DFS, {}, "spec.storage.dfs.mountPoint"),
        (
            {"persistentVolume": {"diskTypes": ["Mount"]}},
            Strategy.PERSISTENT_VOLUME,
            {},
            "spec.storage.persistentVolume.diskType",
        ),
        (
            {"mesosRoles": ["silver"]},
            Strategy.PERSISTENT_VOLUME,
            {"placement": PlacementSpec(mesos_role="gold")},
            "spec.placement.mesosRole",
        ),
        ({"size": {"max": "512Mi"}}, Strategy.DFS, {}, "spec.storage.size"),
        ({"size": {"min": "2Gi"}}, Strategy.DFS, {}, "spec.storage.size"),
        ({"retention": {"whenDeleted": "Retain"}}, Strategy.DFS, {"retention": DELETES}, "spec.retention.whenDeleted"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(
    bounds: dict[str, Any], strategy: Strategy, changes: dict[str, Any], path: str
) -> None:
    (error,) = profile_errors(spec(strategy, **changes), (profile(**bounds),), ROLE)
    assert error.path == path
    assert "StorageProfile tenants allows " in error.allowed


@pytest.mark.parametrize(
    ("bounds", "strategy"),
    [
        ({}, Strategy.HOST_PATH),
        ({"hostPath": {"roots": ["/srv"]}}, Strategy.HOST_PATH),
        ({"hostPath": {"roots": ["/srv/db"]}}, Strategy.HOST_PATH),
        ({"hostPath": {"roots": ["/srv/db/"]}}, Strategy.HOST_PATH),
        ({"hostPath": {"roots": ["/"]}}, Strategy.HOST_PATH),
        ({"hostPath": {"roots": ["/nowhere"]}}, Strategy.DFS),
        ({"dfs": {"mountPoints": ["/mnt/shared/"]}}, Strategy.DFS),
        ({"mesosRoles": ["silver"]}, Strategy.PERSISTENT_VOLUME),
        ({"size": {"min": "1Gi", "max": "1Gi"}, "strategies": ["DFS"]}, Strategy.DFS),
        ({"retention": {"whenDeleted": "Delete"}}, Strategy.DFS),
    ],
)
def test_what_is_allowed(bounds: dict[str, Any], strategy: Strategy) -> None:
    assert profile_errors(spec(strategy), (profile(**bounds),), ROLE) == ()


@pytest.mark.parametrize(
    ("bounds", "strategy", "path"),
    [
        ({"strategies": []}, Strategy.HOST_PATH, "spec.storage.strategy"),
        ({"hostPath": {"roots": []}}, Strategy.HOST_PATH, "spec.storage.hostPath.path"),
        ({"dfs": {"mountPoints": []}}, Strategy.DFS, "spec.storage.dfs.mountPoint"),
        (
            {"persistentVolume": {"diskTypes": []}},
            Strategy.PERSISTENT_VOLUME,
            "spec.storage.persistentVolume.diskType",
        ),
    ],
)
def test_an_empty_list_allows_none(bounds: dict[str, Any], strategy: Strategy, path: str) -> None:
    """It bounded nothing, as if it were absent."""
    (error,) = profile_errors(spec(strategy), (profile(**bounds),), ROLE)
    assert (error.path, error.allowed) == (path, "StorageProfile tenants allows none")


@pytest.mark.parametrize("bounds", [{"hostPath": {}}, {"dfs": {}}, {"persistentVolume": {}}, {"mesosRoles": None}])
def test_a_list_that_is_absent_bounds_nothing(bounds: dict[str, Any]) -> None:
    for strategy in Strategy:
        asked = spec(strategy, placement=PlacementSpec(mesos_role="gold"))
        assert profile_errors(asked, (profile(**bounds),), ROLE) == ()


@pytest.mark.parametrize("roles", [[], ["silver"]])
def test_the_operators_own_role_may_be_named_and_no_other_beside_those_of_the_list(roles: list[str]) -> None:
    asked = [spec(placement=PlacementSpec(mesos_role=role)) for role in (None, ROLE, *roles)]
    assert [profile_errors(each, (profile(mesosRoles=roles),), ROLE) for each in asked] == [()] * len(asked)
    below = f"{ROLE}/{CLUSTER}"
    assert profile_errors(asked[1], (profile(mesosRoles=roles),), below) == (), "where static reservations are refined"
    gold = replace(asked[0], placement=PlacementSpec(mesos_role="gold"))
    (error,) = profile_errors(gold, (profile(mesosRoles=roles),), ROLE)
    assert error.allowed == f"StorageProfile tenants allows {' or '.join([*roles, ROLE])}"


def test_of_several_profiles_all_must_allow() -> None:
    wide, narrow = profile(size={"max": "10Gi"}), profile(size={"max": "1Mi"})
    assert len(profile_errors(spec(), (wide, narrow), ROLE)) == 1


@pytest.mark.parametrize(
    ("meant", "applies"),
    [
        (None, True),
        ({"names": ["shop"]}, True),
        ({"names": ["other"]}, False),
        ({"matchLabels": {"tenant": "gold"}}, True),
        ({"matchLabels": {"tenant": "gold", "zone": "a"}}, False),
        ({"names": ["other"], "matchLabels": {"tenant": "gold"}}, True),
        ({"names": []}, True),
        ({"matchLabels": {}}, True),
        ({"names": ["other"], "matchLabels": {}}, True),
        ({"names": [], "matchLabels": {"tenant": "silver"}}, False),
    ],
)
def test_whom_it_is_meant_for(meant: dict[str, Any] | None, applies: bool) -> None:
    assert profile(**({"namespaces": meant} if meant else {})).applies_to("shop", {"tenant": "gold"}) is applies


def test_one_that_runs_runs_on_and_keeps_its_data_when_a_profile_forbids_it_later() -> None:
    record = serving()
    before = replace(running(record), database=database(spec=MANIFEST))
    target = desired_of(before, ())
    assert target is not None
    assert not target.errors
    strict = replace(before, profiles=(profile(retention={"whenDeleted": "Retain"}),))
    bounded = desired_of(strict, ())
    assert bounded is not None
    refused = replace(bounded, accepted=target.accepted)
    decided = plan(refused, strict, (), OPERATOR)
    said = {c.type: (c.status, c.reason) for c in decided.conditions}
    assert said[ConditionType.ACCEPTED] == (False, Reason.FORBIDDEN_BY_PROFILE)
    assert said[ConditionType.STALLED] == (True, Reason.FORBIDDEN_BY_PROFILE)
    assert said[ConditionType.READY][0] is True
    assert not decided.actions
    deleting = replace(strict, database=database(spec=MANIFEST, deleting=True, finalizers=(FINALIZER,)))
    saved = [a for a in plan(refused, deleting, (), OPERATOR).actions if isinstance(a, SaveVolume)]
    assert [a.volume.intent for a in saved] == [Intent.RETAIN]
