"""Commands that change the ledger change the entry that was looked at, and no other."""

import getpass
import json
import os
from dataclasses import replace

import pytest
import yaml
from typer.testing import CliRunner

from statefuldb.cli import volumes
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.ledger import Stock
from statefuldb.cli.root import app
from statefuldb.cli.session import Session
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.model.volume_object import from_object, to_object
from statefuldb.planning.inventory.comparison import compare
from unit.cli.ledger_api import LedgerApi
from unit.planning.inventory.test_inventory import NAME, entry
from unit.planning.inventory.test_several_volumes import FIRST, LAST, LEFT, SERVED, seen
from unit.planning.members.test_strays import serving


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> LedgerApi:
    held = LedgerApi("shop")
    monkeypatch.setattr(Session, "client", held)
    return held


def stored(api: LedgerApi, name: str) -> VolumeRecord:
    found = api.get("DatabaseVolume", "shop", name)
    assert found is not None
    return from_object(found)


def keep(api: LedgerApi, strategy: Strategy = Strategy.PERSISTENT_VOLUME) -> VolumeRecord:
    """Write the entry of data whose database is gone."""
    retained = replace(serving(strategy), owner_uid="99999999-2222-3333-4444-555555555555", intent=Intent.RETAIN)
    return from_object(api.create(to_object(retained)))


def run(*words: str) -> int:
    return CliRunner().invoke(app, ["-n", "shop", *words], env={"COLUMNS": "200"}).exit_code


def test_data_that_is_taken_up_again_in_the_moment_of_its_release_is_not_destroyed(api: LedgerApi) -> None:
    record = keep(api)
    adopted = {"spec": {"intent": "Use", "database": {"uid": "22222222-2222-3333-4444-555555555555"}}}
    api.before_write = lambda: api.merge("DatabaseVolume", "shop", record.name, adopted)
    assert run("volumes", "release", record.name, "--confirm", record.name) == ExitCode.REFUSED
    assert stored(api, record.name).intent is Intent.USE


def test_a_release_that_nobody_interferes_with_is_written_down(api: LedgerApi) -> None:
    record = keep(api)
    assert run("volumes", "release", record.name, "--confirm", record.name) == 0
    assert stored(api, record.name).intent is Intent.DELETE


def test_what_is_being_given_back_already_is_refused_with_where_to_see_what_it_waits_for(api: LedgerApi) -> None:
    record = keep(api)
    api.merge("DatabaseVolume", "shop", record.name, {"spec": {"intent": "Delete"}})
    words = ("-n", "shop", "volumes", "release", record.name, "--confirm", record.name)
    refused = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert refused.exit_code == ExitCode.REFUSED
    assert "statefuldb -n shop volumes list" in refused.output


def test_a_lost_member_of_a_deleted_database_can_be_fenced(api: LedgerApi) -> None:
    record = keep(api, Strategy.DFS)
    assert run("fence", "orders", "--confirm", "sdb.1a2b.0.7") == ExitCode.REFUSED
    assert stored(api, record.name).fencing is None
    assert run("fence", "orders", "--confirm", str(record.task_id)) == 0
    fencing = stored(api, record.name).fencing
    assert fencing is not None
    assert fencing.incarnation == record.incarnation


def test_a_word_on_a_new_loss_is_not_taken_for_one_on_the_loss_before(api: LedgerApi) -> None:
    """It would be over with that, and the person asked again."""
    record = keep(api, Strategy.DFS)
    before = {"incarnation": record.incarnation, "by": "fence command", "lostAtSeconds": 500.0}
    api.merge("DatabaseVolume", "shop", record.name, {"spec": {"fencing": before}})
    assert run("fence", "orders", "--confirm", str(record.task_id)) == 0
    fencing = stored(api, record.name).fencing
    assert fencing is not None
    assert (fencing.by, fencing.lost_at_seconds) == (getpass.getuser(), None)


def test_a_user_without_a_name_can_confirm_too(api: LedgerApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a cluster gives containers numbers of its own: a traceback, while a database was down."""
    record = keep(api, Strategy.DFS)
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 65_532)
    assert run("fence", "orders", "--confirm", str(record.task_id)) == 0
    fencing = stored(api, record.name).fencing
    assert fencing is not None
    assert fencing.by == "user 65532"


def held_by_two(monkeypatch: pytest.MonkeyPatch, *entries: VolumeRecord) -> None:
    """Have Mesos hold what a first start has left on one agent, and the data on another."""
    stock = Stock(lines=compare(entries, seen(LEFT, SERVED)), blind="")
    monkeypatch.setattr(volumes, "take_stock", lambda *_: stock)


def test_of_several_volumes_that_with_the_data_is_adopted_and_named(
    api: LedgerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_by_two(monkeypatch)
    words = ("-n", "shop", "volumes", "adopt", NAME, "--confirm", NAME)
    said = CliRunner().invoke(app, words, env={"COLUMNS": "400"})
    assert said.exit_code == 0
    assert f"its data is volume {LAST} on agent-2" in said.output
    assert stored(api, NAME).persistence_id == LAST


def test_an_entry_of_an_earlier_volume_is_not_released_and_with_it_the_data(
    api: LedgerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = from_object(api.create(to_object(entry(persistence_id=FIRST, intent=Intent.RETAIN))))
    held_by_two(monkeypatch, record)
    for command in ("release", "adopt"):
        words = ("-n", "shop", "volumes", command, NAME, "--confirm", NAME)
        said = CliRunner().invoke(app, words, env={"COLUMNS": "800"})
        assert said.exit_code == ExitCode.REFUSED
        assert f"volume {LAST} on agent-2 was made later" in said.output
        assert f"kubectl delete databasevolume {NAME} -n shop" in said.output
    assert stored(api, NAME).intent is Intent.RETAIN


@pytest.fixture
def damage(api: LedgerApi) -> str:
    """Damage an entry, as older definitions let people do."""
    api.loosen("DatabaseVolume")
    record = keep(api)
    api.merge("DatabaseVolume", "shop", record.name, {"spec": {"phase": "Broken"}})
    return record.name


@pytest.mark.parametrize(
    "words", [("volumes", "release", "{}"), ("volumes", "adopt", "{}"), ("fence", "orders")], ids=lambda words: words[0]
)
def test_nothing_is_done_with_a_damaged_entry(api: LedgerApi, damage: str, words: tuple[str, ...]) -> None:
    before = api.get("DatabaseVolume", "shop", damage)
    said = CliRunner().invoke(
        app, ["-n", "shop", *(word.format(damage) for word in words), "--confirm", damage], env={"COLUMNS": "200"}
    )
    assert said.exit_code == ExitCode.REFUSED
    assert f"kubectl edit databasevolume {damage} -n shop" in said.output
    assert api.get("DatabaseVolume", "shop", damage) == before


def test_a_damaged_entry_is_listed_with_what_is_wrong(api: LedgerApi, damage: str) -> None:
    said = CliRunner().invoke(app, ["-n", "shop", "volumes", "list", "-o", "json"])
    (line,) = json.loads(said.stdout)
    assert (line["name"], line["state"]) == (damage, "Damaged")
    assert 'spec.phase: Invalid: "Broken": one of Pending' in line["note"]


def test_of_a_database_that_is_gone_it_is_explained_why_its_data_is_not_removed(api: LedgerApi) -> None:
    assert run("explain", "orders") == ExitCode.NOT_FOUND
    released = replace(serving(Strategy.HOST_PATH), owner_uid="99999999-2222-3333-4444-555555555555")
    assert released.launch is not None
    refused = replace(released.launch, erase=True, refusal="/srv/db is mounted below")
    api.create(to_object(replace(released, intent=Intent.DELETE, launch=refused)))
    shown = CliRunner().invoke(app, ["-n", "shop", "explain", "orders", "-o", "json"])
    assert shown.exit_code == 0
    (wait,) = json.loads(shown.stdout)["waiting"]
    assert wait["reason"] == "Releasing"
    assert "refused by its keeper: /srv/db is mounted below" in wait["message"]
    assert "/srv/db is mounted below" in CliRunner().invoke(app, ["-n", "shop", "explain", "orders"]).stdout


def test_a_list_says_the_same_in_yaml_as_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback: what the ledger calls by a name of a closed list is no plain text for YAML."""
    held_by_two(monkeypatch, entry(), replace(serving(Strategy.DFS), name="other"))

    def listed(form: str) -> str:
        done = CliRunner().invoke(app, ["-n", "shop", "volumes", "list", "-o", form], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.exception
        return done.stdout

    told = yaml.safe_load(listed("yaml"))
    assert told == json.loads(listed("json"))
    assert {each["strategy"] for each in told} == {"PersistentVolume", "DFS"}
