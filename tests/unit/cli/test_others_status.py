"""A status, and Events, that somebody else wrote, as their definitions let him: what they lack is shown empty."""

from typing import Any

import pytest
from typer.testing import CliRunner

from statefuldb.cli.root import app
from statefuldb.cli.session import Session
from unit.cli.ledger_api import LedgerApi
from unit.cli.test_uninstall import DATABASE
from unit.local.api_server.world import write

Json = dict[str, Any]
STATUS: Json = {
    "conditions": [
        {"type": "Synced", "status": "True"},
        {"type": "Accepted", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00"},
    ],
    "members": [{"ordinal": 0}],
    "endpoints": {"primary": {"host": "10.0.0.1"}},
    "plan": {"actions": [{}], "waiting": [{}], "hash": "3f9ad20c11be", "release": {"keys": ["x"]}},
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> LedgerApi:
    held = LedgerApi("shop")
    monkeypatch.setattr(Session, "client", held)
    held.create(DATABASE)
    kind, merge = held.world.kind("statefuldatabases"), "application/merge-patch+json"
    held.world.service.patch(kind, "shop", "orders", {"status": STATUS}, merge, write(subresource="status"))
    about = {"kind": "StatefulDatabase", "name": "orders", "namespace": "shop"}
    held.create({"kind": "Event", "metadata": {"name": "a", "namespace": "shop"}, "involvedObject": about})
    return held


@pytest.mark.parametrize(
    "command", ["explain orders", "describe orders", "plan orders", "events", "get", "approve orders"]
)
def test_every_command_shows_what_there_is(api: LedgerApi, command: str) -> None:
    done = CliRunner().invoke(app, ["-n", "shop", *command.split()])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.output
    assert "None" not in done.output
