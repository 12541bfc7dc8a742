"""What the webhook says of a database that is to be stored: the planner's verdict, on what is read at that moment."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from statefuldb.adapters.kubernetes.admission import Admission
from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.model.spec import Strategy
from statefuldb.model.volume_object import to_object
from statefuldb.reconcile.ports import EffectFailed
from unit.planning.world import KEY, ROLE, UID, serving_on

Json = dict[str, Any]
SPEC: Json = {
    "engine": {"type": "MariaDB", "version": "10.11"},
    "resources": {"cpus": "500m", "memory": "512Mi"},
    "storage": {"strategy": "PersistentVolume", "size": "1Gi", "persistentVolume": {"diskType": "Root"}},
}
STORED: Json = {
    "metadata": {"namespace": KEY.namespace, "name": KEY.name, "uid": UID},
    "spec": SPEC,
    "status": {"accepted": {"generation": 1, "spec": SPEC}},
}


class Shelf:
    """An API that lists what is in it, or answers with an error; `asked` are the paths."""

    def __init__(self) -> None:
        self.volumes: list[Json] = [to_object(serving_on(Strategy.PERSISTENT_VOLUME)[0])]
        self.profiles: list[Json] = []
        self.asked: list[str] = []
        self.status = 200

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        assert method == "GET"
        place = urlsplit(path).path
        self.asked.append(place)
        if place.endswith(f"/namespaces/{KEY.namespace}"):
            return self.status, {"metadata": {"name": KEY.namespace, "labels": {"tier": "bronze"}}}
        items = self.volumes if place.endswith("/databasevolumes") else self.profiles
        return self.status, {"metadata": {"resourceVersion": "1"}, "items": items}


def judged(shelf: Shelf, new: Json, old: Json | None) -> list[str]:
    return Admission(client_over(shelf.exchange), ("/srv",), ROLE).errors(new, old)


def changed(**parts: Any) -> Json:
    return {**STORED, "spec": {**SPEC, **parts}}


def test_a_new_one_is_judged_by_itself_and_need_not_have_an_identity() -> None:
    new = {"metadata": {"namespace": KEY.namespace, "generateName": "orders-"}, "spec": SPEC}
    assert judged(Shelf(), new, None) == []
    many = {**new, "spec": {**SPEC, "replicas": 3}}
    assert judged(Shelf(), many, None) == ["spec.replicas: NotSupportedYet: 3: possible now: 0 or 1"]


def test_an_edit_is_judged_against_what_there_is() -> None:
    smaller = changed(storage={**SPEC["storage"], "size": "512Mi"})
    refused = ['spec.storage.size: Invalid: "512Mi": 1Gi or more: storage never shrinks']
    assert judged(Shelf(), smaller, STORED) == refused
    forged = {**smaller, "status": {}}
    assert judged(Shelf(), forged, STORED) == refused, "what a client says of the status is not kept"
    empty = Shelf()
    empty.volumes = []
    assert judged(empty, smaller, STORED) == [], "there is no data yet"


def test_profiles_bound_the_namespaces_that_they_are_for() -> None:
    shelf = Shelf()
    large = changed(storage={**SPEC["storage"], "size": "3Gi"})
    for labels, found in (({"tier": "bronze"}, 1), ({"tier": "gold"}, 0)):
        profile = {"namespaces": {"matchLabels": labels}, "size": {"max": "2Gi"}}
        shelf.profiles = [{"metadata": {"name": "small"}, "spec": profile}]
        errors = judged(shelf, large, STORED)
        assert len(errors) == found
        assert all("StorageProfile small allows 2Gi or less" in error for error in errors)


def test_the_operators_own_role_may_be_named_where_a_profile_allows_no_other() -> None:
    shelf = Shelf()
    shelf.volumes = []
    shelf.profiles = [{"metadata": {"name": "small"}, "spec": {"mesosRoles": []}}]
    assert judged(shelf, changed(placement={"mesosRole": ROLE}), None) == []
    (refused,) = judged(shelf, changed(placement={"mesosRole": "gold"}), None)
    assert f"StorageProfile small allows {ROLE}" in refused


@pytest.mark.parametrize(
    "new",
    [
        {**STORED, "metadata": {**STORED["metadata"], "labels": {"a": "b"}}},
        {**changed(replicas=3), "metadata": {**STORED["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ],
    ids=["the same spec", "it goes"],
)
def test_what_is_no_edit_is_not_judged_and_nothing_is_read_for_it(new: Json) -> None:
    shelf = Shelf()
    assert judged(shelf, new, STORED) == []
    assert shelf.asked == []


def test_an_entry_that_cannot_be_read_may_be_data() -> None:
    damaged = Shelf()
    damaged.volumes[0]["spec"].pop("identity")
    (refused,) = judged(damaged, changed(storage={**SPEC["storage"], "size": "512Mi"}), STORED)
    assert "storage never shrinks" in refused


def test_an_api_that_cannot_be_read_is_no_verdict() -> None:
    away = Shelf()
    away.status = 403
    with pytest.raises(EffectFailed):
        judged(away, changed(replicas=0), STORED)


def test_a_ledger_that_is_not_served_is_not_an_empty_one() -> None:
    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        listed = {"metadata": {"resourceVersion": "1"}, "items": []}
        return (404, "404 page not found\n") if path.partition("?")[0].endswith("/databasevolumes") else (200, listed)

    smaller = changed(storage={**SPEC["storage"], "size": "512Mi"})
    with pytest.raises(EffectFailed, match="not served now"):
        Admission(client_over(exchange), ("/srv",), ROLE).errors(smaller, STORED)
