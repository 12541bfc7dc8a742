"""What `volumes scan` adopts is the member's own directory, as far as anybody can tell."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from statefuldb.adapters.mesos.scout import Report
from statefuldb.cli import scanning
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.ledger import Stock
from statefuldb.cli.mesos_options import MesosOptions
from statefuldb.cli.root import app
from statefuldb.cli.session import Session
from statefuldb.model.found import FoundDirectory
from statefuldb.model.identity import DataIdentity
from statefuldb.model.volume import AgentRef
from statefuldb.planning.inventory.comparison import compare
from unit.cli.ledger_api import LedgerApi
from unit.planning.inventory.test_inventory import cluster, holds, reserved
from unit.planning.world import CLUSTER

NAME = "orders-0-11111111"
AGENTS = [AgentRef(id=f"S{number}", hostname=f"agent-{number}") for number in (1, 2)]
FOUND = FoundDirectory(
    directory="/srv/db/shop/orders/0",
    root="/srv/db",
    namespace="shop",
    database="orders",
    identity=DataIdentity(cluster=CLUSTER, uid="11111111-2222-3333-4444-555555555555", ordinal=0),
    engine="MariaDB",
    version="10.11.6",
    token=3,
    mount_point="/",
    source="/dev/vda",
    shared="",
)


@pytest.fixture
def reports() -> list[Report]:
    """What agents say; a test may change it."""
    line = json.dumps({"found": {k: v for k, v in asdict(FOUND).items() if k != "host"}})
    return [Report(agent=AGENTS[0], output=line), Report(agent=AGENTS[1], output="")]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, reports: list[Report]) -> LedgerApi:
    held = LedgerApi("shop")
    monkeypatch.setattr(Session, "client", held)
    monkeypatch.setattr(scanning, "cluster_uuid", lambda *_: CLUSTER)
    monkeypatch.setattr(scanning, "take_stock", lambda *_: Stock(lines=(), blind=""))

    class Mesos:
        def places(self) -> list[AgentRef]:
            return AGENTS

        def run(self, *_: Any) -> list[Report]:
            return reports

    monkeypatch.setattr(MesosOptions, "master", lambda *_: Mesos())
    monkeypatch.setattr(MesosOptions, "scout", lambda *_, **__: Mesos())
    return held


def adopt(*more: str) -> Result:
    words = ("-n", "shop", "volumes", "scan", "/srv/db", "--on-agents", "--adopt", NAME, "--confirm", NAME, *more)
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


def trouble(text: str) -> Report:
    return Report(agent=AGENTS[1], output=json.dumps({"trouble": text}))


@pytest.mark.parametrize("second", [Report(agent=AGENTS[1]), trouble("there is no directory /srv/db")])
def test_a_directory_that_every_agent_was_asked_about_is_adopted(
    api: LedgerApi, reports: list[Report], second: Report
) -> None:
    reports[1] = second
    assert adopt().exit_code == 0
    assert api.get("DatabaseVolume", "shop", NAME) is not None


@pytest.mark.parametrize(
    "silent",
    [
        Report(agent=AGENTS[1], trouble="it did not end in time"),
        Report(agent=AGENTS[1], output="noise"),
        trouble("/srv/db/shop/orders cannot be read: Input/output error"),
    ],
)
def test_one_that_may_lie_on_an_agent_that_did_not_tell_is_not_adopted_unless_it_is_named(
    api: LedgerApi, reports: list[Report], silent: Report
) -> None:
    """What was found may be a copy of it, and of another day."""
    reports[1] = silent
    refused = adopt()
    assert refused.exit_code == ExitCode.REFUSED
    assert "agent-2 did not tell" in refused.output
    assert "--agent agent-1" in refused.output
    assert api.get("DatabaseVolume", "shop", NAME) is None
    assert adopt("--agent", "agent-2").exit_code == ExitCode.NOT_FOUND, "there it was not found"
    assert api.get("DatabaseVolume", "shop", NAME) is None
    assert adopt("--agent", "agent-1").exit_code == 0
    assert api.get("DatabaseVolume", "shop", NAME) is not None


def test_what_is_reserved_on_the_agent_that_did_not_tell_does_not_speak_for_the_other(
    api: LedgerApi, reports: list[Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first start's directory was adopted, though the data may be on the agent that the member went on with."""
    reports[1] = Report(agent=AGENTS[1], trouble="it did not end in time")
    first, last = (holds(reserved("cpus", volume=None), host=agent.hostname) for agent in AGENTS)
    held = [first]
    monkeypatch.setattr(scanning, "take_stock", lambda *_: Stock(lines=compare([], cluster(*held)), blind=""))
    assert adopt().exit_code == 0
    api.delete("DatabaseVolume", "shop", NAME)
    held.append(last)
    refused = adopt()
    assert refused.exit_code == ExitCode.REFUSED
    assert "agent-2 did not tell" in refused.output
    assert adopt("--agent", "agent-1").exit_code == 0
