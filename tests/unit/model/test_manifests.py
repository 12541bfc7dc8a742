"""The manifest language: what is taken, what is refused, and in which words."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from statefuldb.model.canonical import canonical
from statefuldb.model.parse import parse_database, read_accepted
from statefuldb.model.schema import DATABASE_SPEC
from statefuldb.model.schema.profile import PROFILE_SPEC
from statefuldb.model.spec import DatabaseSpec, Strategy
from statefuldb.model.transition import transition_errors
from statefuldb.planning.engines import changed_errors, engine_errors
from unit.planning.world import spec as wanted_on

MANIFESTS = Path(__file__).parents[3] / "manifests"
GOOD = sorted(MANIFESTS.glob("*.yaml"))
BAD = sorted((MANIFESTS / "bad").glob("*.yaml"))
BAD_EDITS = sorted((MANIFESTS / "bad/edits").glob("*.yaml"))


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def parsed(path: Path) -> DatabaseSpec:
    spec = parse_database(load(path)["spec"])
    assert isinstance(spec, DatabaseSpec), spec
    return spec


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_good_manifests_are_taken_and_written_back_the_same(path: Path) -> None:
    spec = parsed(path)
    assert not engine_errors(spec)
    assert parse_database(canonical(spec)) == spec


@pytest.mark.parametrize("path", BAD, ids=lambda p: p.stem)
def test_bad_manifests_are_refused_in_the_expected_words(path: Path) -> None:
    body = load(path)
    spec = parse_database(body["spec"])
    errors = engine_errors(spec) if isinstance(spec, DatabaseSpec) else spec
    assert errors
    said = "; ".join(str(error) for error in errors)
    assert body["metadata"]["annotations"]["statefuldb.dev/expect"] in said


@pytest.mark.parametrize("path", BAD_EDITS, ids=lambda p: p.stem)
def test_bad_edits_are_refused_in_the_expected_words_once_there_is_data(path: Path) -> None:
    body = load(path)
    about = body["metadata"]["annotations"]
    before = load(MANIFESTS / about["statefuldb.dev/edit-of"])
    assert before["metadata"]["name"] == body["metadata"]["name"], "it would be another database, not an edit"
    old, new = parse_database(before["spec"]), parsed(path)
    assert isinstance(old, DatabaseSpec)
    errors = changed_errors(old, new) + transition_errors(old, new, initialised=True, begun=True)
    said = "; ".join(map(str, errors))
    assert about["statefuldb.dev/expect"] in said


def test_there_is_one_bad_manifest_for_each_class_of_error() -> None:
    assert len(BAD) >= 14
    assert len(BAD_EDITS) >= 4


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("storage.size", "512Mi", "never shrinks"),
        ("placement.mesosRole", "other", "it stays absent"),
        ("storage.persistentVolume.diskType", "Mount", "Immutable"),
    ],
)
def test_what_may_not_change_once_there_is_data(path: str, change: str, reason: str) -> None:
    body = load(MANIFESTS / "persistent-volume.yaml")["spec"]
    old = parse_database(body)
    assert isinstance(old, DatabaseSpec)
    *folders, leaf = path.split(".")
    section = body
    for folder in folders:
        section = section.setdefault(folder, {})
    section[leaf] = change
    new = parse_database(body)
    assert isinstance(new, DatabaseSpec)
    assert any(reason in str(error) for error in transition_errors(old, new, initialised=True))
    assert not transition_errors(old, new, initialised=False)


@pytest.mark.parametrize(("disk_type", "refused"), [("Root", False), ("Path", False), ("Mount", True)])
def test_a_volume_may_grow_unless_it_is_a_whole_disk(disk_type: str, refused: bool) -> None:
    body = load(MANIFESTS / "persistent-volume.yaml")["spec"]
    body["storage"]["persistentVolume"] = {"diskType": disk_type}
    old = parse_database(body)
    body["storage"]["size"] = "4Gi"
    new = parse_database(body)
    assert isinstance(old, DatabaseSpec)
    assert isinstance(new, DatabaseSpec)
    errors = transition_errors(old, new, initialised=True)
    assert [error.reason for error in errors] == (["NotSupportedYet"] if refused else [])
    assert all("needs a replacement" in str(error) for error in errors)


def test_a_growth_that_has_not_taken_place_may_be_taken_back() -> None:
    body = load(MANIFESTS / "persistent-volume.yaml")["spec"]
    small = parse_database(body)
    body["storage"]["size"] = "4Gi"
    large = parse_database(body)
    assert isinstance(small, DatabaseSpec)
    assert isinstance(large, DatabaseSpec)
    held = small.storage.size_bytes
    assert not transition_errors(large, small, initialised=True, held_bytes=held)
    assert transition_errors(large, small, initialised=True, held_bytes=large.storage.size_bytes)
    assert transition_errors(large, small, initialised=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("resources.cpus", "9" * 30),
        ("resources.cpus", "1000001"),
        ("resources.memory", "9" * 30 + "Pi"),
        ("resources.memory", "1025Pi"),
        ("storage.size", "9" * 30 + "Pi"),
        ("storage.size", 2**63 - 1),
    ],
)
def test_an_amount_beyond_what_can_be_counted_is_refused(path: str, value: object) -> None:
    """The ledger counts bytes in 64 bits, and a directory waits for no offer that has so much."""
    body = load(MANIFESTS / "host-path.yaml")["spec"]
    section, field = path.split(".")
    body[section][field] = value
    errors = parse_database(body)
    assert isinstance(errors, tuple)
    assert [(error.path, "at most" in error.allowed) for error in errors] == [(f"spec.{path}", True)]


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("storage", {"size": "1Gi\n"}),
        ("storage", {"hostPath": {"path": "/srv/db\n"}}),
        ("resources", {"cpus": "1\n"}),
        ("engine", {"version": "10.11\n"}),
    ],
)
def test_a_line_end_after_a_value_is_refused_as_the_api_server_does(section: str, changes: dict[str, Any]) -> None:
    """As of a block in YAML: `size: |`."""
    body = load(MANIFESTS / "host-path.yaml")["spec"]
    body[section] |= changes
    errors = parse_database(body)
    assert isinstance(errors, tuple)
    assert "\\n" in errors[0].value


def test_every_field_says_what_it_is_for() -> None:
    """`kubectl explain` shows it."""

    def silent(schema: Mapping[str, Any], path: str) -> Iterator[str]:
        for name, field in schema.get("properties", {}).items():
            if not field.get("description"):
                yield f"{path}.{name}"
            yield from silent(field, f"{path}.{name}")
            yield from silent(field.get("items", {}), f"{path}.{name}[]")

    assert list(silent(DATABASE_SPEC, "sdb.spec")) == []
    assert list(silent(PROFILE_SPEC, "sdbp.spec")) == []


def test_a_path_outside_the_allowed_roots_is_refused() -> None:
    spec = load(MANIFESTS / "host-path.yaml")["spec"]
    errors = parse_database(spec, allowed_roots=("/srv/db",))
    assert isinstance(errors, tuple)
    assert "below /srv/db" in str(errors[0])


@pytest.mark.parametrize("root", ["/srv", "/srv/", "/srv/db", "/srv/db/", "/"])
def test_a_path_at_or_below_an_allowed_root_is_taken(root: str) -> None:
    spec = load(MANIFESTS / "host-path.yaml")["spec"]
    spec["storage"]["hostPath"]["path"] = "/srv/db"
    assert isinstance(parse_database(spec, allowed_roots=(root,)), DatabaseSpec)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("engine", "version", 10.11),
        ("resources", "cpus", 0.5),
        ("engine", "config", {"autocommit": True}),
    ],
)
def test_a_number_that_should_be_a_text_is_to_be_quoted(section: str, field: str, value: object) -> None:
    """YAML makes a number of 10.11, and true of yes."""
    body = load(MANIFESTS / "host-path.yaml")["spec"]
    body[section][field] = value
    errors = parse_database(body)
    assert isinstance(errors, tuple)
    assert [error.fix for error in errors] == ["put it in quotes"]


@pytest.mark.parametrize(
    ("section", "field", "value", "allowed"),
    [
        ("storage", "strategy", 1, "one of HostPath, DFS, PersistentVolume"),
        ("retention", "whenDeleted", True, "one of Retain, Delete"),
        ("storage", "hostPath", {"path": 5}, "an absolute path"),
        ("storage", "size", True, "a quantity"),
    ],
)
def test_quotes_are_no_advice_where_what_is_in_them_is_refused_too(
    section: str, field: str, value: object, allowed: str
) -> None:
    body = load(MANIFESTS / "host-path.yaml")["spec"]
    body.setdefault(section, {})[field] = value
    errors = parse_database(body)
    assert isinstance(errors, tuple)
    assert [(error.fix, error.allowed.startswith(allowed)) for error in errors] == [("", True)]


@pytest.mark.parametrize(("strategy", "member"), [(Strategy.HOST_PATH, "hostPath"), (Strategy.DFS, "dfs")])
def test_a_spec_in_a_status_that_does_not_say_where_data_lies_was_never_accepted(
    strategy: Strategy, member: str
) -> None:
    written: Any = canonical(wanted_on(strategy))
    assert read_accepted(written) == wanted_on(strategy)
    del written["storage"][member]
    assert read_accepted(written) is None
