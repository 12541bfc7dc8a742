"""Uninstalling ends what was shown, and nothing that was begun after that."""

from dataclasses import replace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from statefuldb.adapters.mesos.janitor import Framework, Holding
from statefuldb.cli import uninstall
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.mesos_options import OPERATOR_NAMESPACE, MesosOptions
from statefuldb.cli.root import app
from statefuldb.cli.session import Session
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent
from statefuldb.model.volume_object import to_object
from statefuldb.planning.inventory.comparison import ClusterView
from unit.cli.ledger_api import LedgerApi
from unit.planning.inventory.test_inventory import NAME, entry
from unit.planning.world import CLUSTER

DATABASE = {
    "apiVersion": "statefuldb.dev/v1alpha1",
    "kind": "StatefulDatabase",
    "metadata": {"namespace": "shop", "name": "orders"},
    "spec": {
        "engine": {"type": "MariaDB", "version": "10.11"},
        "resources": {"cpus": "500m", "memory": "512Mi"},
        "storage": {"strategy": "PersistentVolume", "size": "1Gi"},
    },
}


class Idle:
    """A Mesos that holds nothing of ours but a framework, whose end is noted."""

    def __init__(self) -> None:
        self.torn_down: list[str] = []
        self.connected = False

    def frameworks(self) -> tuple[Framework, ...]:
        held = Framework(id="framework-1", name="statefuldb", roles=("statefuldb",), connected=self.connected)
        return () if self.torn_down else (held,)

    def holdings(self) -> tuple[Holding, ...]:
        return ()

    def sweep(self, identities: object, patience_seconds: float) -> tuple[str, ...]:
        return ()

    def teardown(self, framework: Framework, patience_seconds: float) -> bool:
        self.torn_down.append(framework.id)
        return True


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> tuple[LedgerApi, Idle]:
    api, mesos = LedgerApi("shop"), Idle()
    nothing = ClusterView(agent_ids=frozenset(), hostnames=frozenset(), held=())
    monkeypatch.setattr(Session, "client", api)
    monkeypatch.setattr(MesosOptions, "master", lambda *_: object())
    monkeypatch.setattr(uninstall, "view_of", lambda *_: nothing)
    monkeypatch.setattr(uninstall, "Janitor", lambda **_: mesos)
    api.world.create("namespaces", {"metadata": {"name": OPERATOR_NAMESPACE}})
    metadata = {"namespace": OPERATOR_NAMESPACE, "name": "statefuldb-framework"}
    api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"cluster": CLUSTER}})
    return api, mesos


def test_a_database_that_is_made_while_one_is_asked_is_not_ended(
    world: tuple[LedgerApi, Idle], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, mesos = world

    def asked(*_: Any, **__: Any) -> str:
        api.create(DATABASE)
        return CLUSTER

    monkeypatch.setattr(typer, "prompt", asked)
    assert CliRunner().invoke(app, ["uninstall"]).exit_code == ExitCode.REFUSED
    assert not mesos.torn_down
    assert api.get("ConfigMap", OPERATOR_NAMESPACE, "statefuldb-framework") is not None


def test_an_operator_that_comes_back_while_one_is_asked_is_not_deprived_of_its_framework(
    world: tuple[LedgerApi, Idle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fail-over of the master, to which it subscribes within seconds."""
    api, mesos = world

    def asked(*_: Any, **__: Any) -> str:
        mesos.connected = True
        return CLUSTER

    monkeypatch.setattr(typer, "prompt", asked)
    done = CliRunner().invoke(app, ["uninstall"])
    assert done.exit_code == ExitCode.REFUSED
    assert "still connected" in done.output
    assert not mesos.torn_down
    assert api.get("ConfigMap", OPERATOR_NAMESPACE, "statefuldb-framework") is not None


def test_what_nobody_uses_is_ended(world: tuple[LedgerApi, Idle]) -> None:
    api, mesos = world
    assert CliRunner().invoke(app, ["uninstall", "--confirm", CLUSTER]).exit_code == 0
    assert mesos.torn_down == ["framework-1"]
    assert api.get("ConfigMap", OPERATOR_NAMESPACE, "statefuldb-framework") is None


@pytest.mark.parametrize("connected", [True, False])
def test_what_is_left_on_an_agent_that_is_gone_is_not_said_to_be_destroyed(
    world: tuple[LedgerApi, Idle], connected: bool
) -> None:
    api, mesos = world
    mesos.connected = connected
    released = entry(intent=Intent.DELETE, strategy=Strategy.HOST_PATH, persistence_id=None, directory="/srv/db/0")
    api.create(to_object(replace(released, root="/srv/db")))
    words = ["uninstall", "--dry-run", "--leave-lost"]
    said = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert f"left on agent-1 (--leave-lost): shop/{NAME}" in said.output
    assert "destroy and unreserve" not in said.output
    assert said.output.count("Left alone: /srv/db/0 on agent-1") == 1
    refused = CliRunner().invoke(app, words[:-1], env={"COLUMNS": "200"})
    assert refused.exit_code == ExitCode.REFUSED
    assert "(--leave-lost): shop" not in refused.output
    assert "bring agent-1 back" in refused.output
