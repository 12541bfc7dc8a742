"""A ledger entry as an object: it reads back as it was written, and what is no entry is refused by name."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumePhase
from statefuldb.model.volume_object import Damaged, from_label, from_object, to_label, to_object
from unit.model.entries import full

Json = dict[str, Any]
NEWER = {"newerField": {"of": ["a", "newer", "operator"]}}


def stored(strategy: Strategy = Strategy.DFS) -> Json:
    return deepcopy(to_object(full(strategy)))


@pytest.mark.parametrize("strategy", Strategy)
def test_an_entry_reads_back_as_it_was_written(strategy: Strategy) -> None:
    record = full(strategy)
    assert from_object(to_object(record)) == record
    assert from_label(to_label(record)) == record


def test_a_proof_of_fencing_of_which_nobody_noted_the_loss_reads_back_as_that() -> None:
    record = full(Strategy.DFS)
    assert record.fencing is not None
    record = replace(record, fencing=replace(record.fencing, lost_at_seconds=None))
    body = to_object(record)
    assert body["spec"]["fencing"] == {"incarnation": 1, "by": "ada"}  # type: ignore[index]
    assert from_object(body) == record


def test_a_long_message_that_an_earlier_operator_kept_is_read() -> None:
    body = stored()
    body["spec"]["ending"]["message"] = "m" * 10_000
    assert from_object(body).incarnation == full(Strategy.DFS).incarnation


def test_whatever_a_manifest_may_ask_data_to_be_made_with_can_be_written_down() -> None:
    record = replace(full(Strategy.DFS), made_with={"innodb_page_size": "8" * 1024})
    assert from_object(to_object(record)) == record


@pytest.mark.parametrize("phase", ["Idle", "Orphaned", "Missing"])
def test_a_phase_of_an_earlier_version_reads_as_nothing_known_yet(phase: str) -> None:
    body = stored()
    body["spec"]["phase"] = phase
    assert from_object(body) == replace(full(Strategy.DFS), phase=VolumePhase.PENDING)
    assert body["spec"]["phase"] == phase


@pytest.mark.parametrize(
    "section",
    [
        *("", "database", "identity", "engine", "agent", "dfs"),
        *("launch", "launch.agent", "ending", "fencing", "growth", "givingBack"),
    ],
)
def test_what_a_newer_operator_wrote_beside_it_does_not_count(section: str) -> None:
    body = stored()
    place = body["spec"]
    for name in filter(None, section.split(".")):
        place = place[name]
    place.update(NEWER)
    assert from_object(body) == full(Strategy.DFS)


@pytest.mark.parametrize(
    ("section", "beside"),
    [
        ("launch", {"at_seconds": "soon", "keeper_port": None}),
        ("ending", {"at_seconds": []}),
        ("fencing", {"lost_at_seconds": "never"}),
        ("growth", {"size_bytes": "large"}),
        ("disk", {"static_role": 3}),
        ("givingBack", {"at_seconds": {}}),
    ],
)
def test_a_name_that_the_schema_does_not_look_at_is_no_field(section: str, beside: Json) -> None:
    body = stored()
    body["spec"][section].update(beside)
    assert from_object(body) == full(Strategy.DFS)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("metadata", "name", 5),
        ("metadata", "namespace", ["default"]),
        pytest.param("spec", "releasedAtSeconds", 10**400, id="no float"),
        ("spec", "incarnation", 2**63),
        ("spec.launch", "atSeconds", float("nan")),
        ("spec.ending", "atSeconds", float("inf")),
    ],
)
def test_a_label_in_which_anybody_wrote_what_no_api_would_store_holds_no_entry(
    section: str, name: str, value: object
) -> None:
    body = place = stored()
    for part in section.split("."):
        place = place[part]
    place[name] = value
    assert from_label(json.dumps(body)) is None


@pytest.mark.parametrize(
    ("section", "name", "value", "said"),
    [
        ("", "spec", None, "spec: Invalid: null: an object"),
        ("spec", "identity", None, "spec.identity: Invalid: null: an object"),
        ("spec.identity", "ordinal", "zero", 'spec.identity.ordinal: Invalid: "zero": a whole number'),
        ("spec.identity", "ordinal", 70_000, "spec.identity.ordinal: Invalid: 70000: at most 65535"),
        ("spec", "phase", "Broken", 'spec.phase: Invalid: "Broken": one of Pending, InUse'),
        ("spec", "sizeBytes", "1Gi", 'spec.sizeBytes: Invalid: "1Gi": a whole number'),
        ("spec", "initialised", ..., "spec.initialised: Required: absent"),
        ("spec", "directory", ..., "spec.directory: Required: absent"),
        ("spec.launch", "port", ..., "spec.launch.port: Required: absent"),
        ("spec.launch", "atSeconds", "now", 'spec.launch.atSeconds: Invalid: "now": a number'),
        ("spec.ending", "state", 3, "spec.ending.state: Invalid: 3: a string"),
    ],
)
def test_what_is_no_entry_is_refused_with_the_path_of_what_is_wrong(
    section: str, name: str, value: object, said: str
) -> None:
    body = stored()
    place = body
    for each in filter(None, section.split(".")):
        place = place[each]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    with pytest.raises(Damaged) as damaged:
        from_object(body)
    assert said in str(damaged.value)
