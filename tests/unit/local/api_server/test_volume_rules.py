"""What the API server itself keeps people and tools from doing to the ledger."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from conformance.kubernetes.ledger import REFUSED, TAKEN, on_what
from statefuldb.local.api_server.errors import ApiError
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import from_object, to_object
from unit.local.api_server.world import World, loosen
from unit.model.entries import full

Json = dict[str, Any]
KIND = "databasevolumes"


def stored_in(world: World, record: VolumeRecord) -> str:
    body: Json = deepcopy(to_object(record))
    body["metadata"]["namespace"] = "home"
    world.create(KIND, body)
    return record.name


@pytest.fixture
def world() -> World:
    return World.of_ours()


@pytest.mark.parametrize("strategy", Strategy)
def test_every_entry_of_the_operator_is_taken_whole(world: World, strategy: Strategy) -> None:
    record = full(strategy)
    name = stored_in(world, record)
    kept = from_object(world.store.get(world.kind(KIND), "home", name))
    assert replace(kept, key=record.key, resource_version="") == record


@pytest.mark.parametrize(("patch", "said"), REFUSED)
def test_an_edit_that_would_lose_data_is_refused(world: World, patch: Json, said: str) -> None:
    name = stored_in(world, full(Strategy(on_what(patch))))
    with pytest.raises(ApiError) as refused:
        world.patch(KIND, name, {"spec": patch})
    assert refused.value.code == 422
    assert said in str(refused.value)


def test_data_without_a_place_is_not_taken(world: World) -> None:
    with pytest.raises(ApiError, match=r"its place must be set: spec\.persistenceId"):
        stored_in(world, replace(full(Strategy.PERSISTENT_VOLUME), persistence_id=None))


@pytest.mark.parametrize("patch", TAKEN)
def test_what_a_member_goes_through_is_taken(world: World, patch: Json) -> None:
    name = stored_in(world, full(Strategy.PERSISTENT_VOLUME))
    changed = world.patch(KIND, name, {"spec": patch})["spec"]
    for field, value in patch.items():
        if isinstance(value, dict):
            assert changed[field].items() >= value.items()
        else:
            assert changed.get(field) == value


def test_before_there_is_data_its_place_may_change(world: World) -> None:
    name = stored_in(world, replace(full(Strategy.HOST_PATH), initialised=False))
    changed = world.patch(KIND, name, {"spec": {"directory": "/srv/db/beside", "root": "/srv/db", "initialised": True}})
    assert changed["spec"]["directory"] == "/srv/db/beside"


def test_an_entry_from_before_these_rules_can_be_made_whole(world: World) -> None:
    """An older definition took what lacks a field that is required now."""
    closed = loosen(world, KIND)
    record = full(Strategy.PERSISTENT_VOLUME)
    name = stored_in(world, record)
    lacking = {"initialised": None, "persistenceId": None, "incarnation": None, "identity": {"uid": None}}
    world.patch(KIND, name, {"spec": lacking})
    world.patch("customresourcedefinitions", f"{KIND}.statefuldb.dev", {"spec": closed["spec"]})
    whole: Json = {name: to_object(record)["spec"][name] for name in lacking}  # type: ignore[index]
    assert from_object(world.patch(KIND, name, {"spec": whole})).identity == record.identity
