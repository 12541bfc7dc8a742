"""SQL to a server that lets nobody in."""

import socket

import pytest

from statefuldb.adapters.databases import mysql
from statefuldb.adapters.databases.mysql import SqlFailed, run_statements


def test_a_server_that_is_stopped_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes connections for it: `sql` hung, and so did `up`, which means to give up after two minutes."""
    monkeypatch.setattr(mysql, "CONNECT_TIMEOUT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        secret = {"host": "127.0.0.1", "port": str(silent.getsockname()[1])}
        account = {"username": "orders", "password": "secret", "database": "orders"}
        with pytest.raises(SqlFailed, match="timed out") as failure:
            list(run_statements({**secret, **account}, ["SELECT 1"]))
    assert not failure.value.reached
