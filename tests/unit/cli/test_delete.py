"""Deleting a database is about the one that was looked at, and no later one of its name."""

from typing import Any

import pytest
from typer.testing import CliRunner

from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.root import app
from statefuldb.cli.session import Session
from unit.cli.ledger_api import LedgerApi
from unit.cli.test_uninstall import DATABASE


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> LedgerApi:
    held = LedgerApi("shop")
    monkeypatch.setattr(Session, "client", held)
    return held


def made(api: LedgerApi, **spec: Any) -> str:
    body = {**DATABASE, "spec": {**DATABASE["spec"], "deletionProtection": "Disabled", **spec}}  # type: ignore[dict-item]
    return str(api.create(body)["metadata"]["uid"])


def test_one_that_was_made_anew_meanwhile_is_not_deleted(api: LedgerApi) -> None:
    made(api)

    def anew() -> None:
        api.delete("StatefulDatabase", "shop", "orders")
        made(api, retention={"whenDeleted": "Delete"})

    api.before_write = anew
    done = CliRunner().invoke(app, ["-n", "shop", "delete", "orders"])
    assert done.exit_code == ExitCode.REFUSED
    assert api.get("StatefulDatabase", "shop", "orders") is not None


def test_the_one_that_was_looked_at_is_deleted(api: LedgerApi) -> None:
    made(api)
    assert CliRunner().invoke(app, ["-n", "shop", "delete", "orders"]).exit_code == 0
    assert api.get("StatefulDatabase", "shop", "orders") is None
