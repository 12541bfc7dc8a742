"""SQL as people type it, and to a server that lets nobody in."""

import socket
from unittest.mock import MagicMock

import pymysql
import pytest

from statefuldb.adapters.databases import mysql
from statefuldb.adapters.databases.mysql import SqlFailed, distinct, run_statements, statements_of


def test_a_server_that_is_stopped_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel takes connections for it: `sql` hung, and so did `up`, which means to give up after two minutes."""
    monkeypatch.setattr(mysql, "CONNECT_TIMEOUT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        secret = {"host": "127.0.0.1", "port": str(silent.getsockname()[1])}
        account = {"username": "orders", "password": "secret", "database": "orders"}
        with pytest.raises(SqlFailed, match="timed out") as failure:
            list(run_statements({**secret, **account}, ["SELECT 1"]))
    assert not failure.value.reached


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("SELECT 1;\nSELECT 2;\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1;\r\nSELECT 2", ["SELECT 1", "SELECT 2"]),
        ("DELETE FROM t -- not all;\nWHERE a = 1;\n", ["DELETE FROM t -- not all;\nWHERE a = 1"]),
        ("DELETE FROM t # not all;\nWHERE a = 1;", ["DELETE FROM t # not all;\nWHERE a = 1"]),
        ("DELETE FROM t /* not;\nall */ WHERE a = 1;\n", ["DELETE FROM t /* not;\nall */ WHERE a = 1"]),
        ("INSERT INTO t VALUES ('it''s;\n\\';\n');\nSELECT 1", ["INSERT INTO t VALUES ('it''s;\n\\';\n')", "SELECT 1"]),
        ('SELECT "a;\nb", `c;\nd` FROM t;\n', ['SELECT "a;\nb", `c;\nd` FROM t']),
        ("SELECT 5--1;\nSELECT 4 / 2 - 1;\n", ["SELECT 5--1", "SELECT 4 / 2 - 1"]),
        (
            "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END;\n",
            ["CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END"],
        ),
        ("/*!40101 SET NAMES utf8 */;\n;\n -- done;\n", ["/*!40101 SET NAMES utf8 */"]),
        ("DELETE FROM t WHERE a = 'not closed;\n OR TRUE;\n", ["DELETE FROM t WHERE a = 'not closed;\n OR TRUE;"]),
        ("", []),
    ],
)
def test_only_a_semicolon_of_its_own_ends_a_statement(text: str, statements: list[str]) -> None:
    """What came before one in a comment was sent alone: a DELETE without its WHERE."""
    assert list(statements_of(text)) == statements


def test_no_column_hides_another_of_its_name() -> None:
    assert distinct(("id", "name", "id", "id", "id (2)")) == ("id", "name", "id (2)", "id (3)", "id (2) (2)")


def test_what_a_procedure_fails_of_after_its_first_rows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its first answer was read: rows were missing, and one that failed later was said to be done."""
    connection = MagicMock()
    connection.__exit__.return_value = False
    cursor = connection.cursor.return_value.__enter__.return_value
    connection.cursor.return_value.__exit__.return_value = False
    cursor.description = (("answer", None),)
    cursor.fetchall.side_effect = [[(1,)], [(2,)]]
    cursor.nextset.side_effect = [True, pymysql.ProgrammingError(1146, "Table 'orders.none' doesn't exist")]
    monkeypatch.setattr(pymysql, "connect", lambda **_: connection)
    secret = {"host": "h", "port": "1", "username": "orders", "password": "secret", "database": "orders"}
    told = run_statements(secret, ["CALL p()"])
    assert [next(told).rows, next(told).rows] == [((1,),), ((2,),)]
    with pytest.raises(SqlFailed, match="doesn't exist") as failure:
        next(told)
    assert failure.value.reached


@pytest.mark.parametrize("port", ["3306,", "9" * 30, "9" * 5000, "65536"])
def test_a_port_that_somebody_made_none_is_said(port: str) -> None:
    secret = {"host": "h", "port": port, "username": "orders", "password": "secret", "database": "orders"}
    with pytest.raises(SqlFailed, match="has no port that is a number"):
        next(run_statements(secret, ["SELECT 1"]))
