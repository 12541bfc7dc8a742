"""Options of MariaDB that would undo what the operator guarantees, in every spelling that the server takes."""

import pytest

from statefuldb.planning.engines.engine import ServerOrders, ServerPaths
from statefuldb.planning.engines.mariadb import MariaDb


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("skip-grant", "skip_grant_tables"),
        ("enable-skip-grant-tables", "skip_grant_tables"),
        ("INNODB_FLUSH_LOG_AT_TRX", "innodb_flush_log_at_trx_commit"),
        ("skip-log-bin", "log_bin"),
        ("disable-innodb-doublewrite", "innodb_doublewrite"),
        ("loose-loose-datad", "datadir"),
        ("loose-skip-innodb-doublewrite", "innodb_doublewrite"),
    ],
)
def test_an_owned_option_is_refused_in_every_spelling(name: str, meant: str) -> None:
    (error,) = MariaDb().option_errors({name: "1"})
    assert error.path == f"spec.engine.config.{name}"
    assert meant in error.allowed


@pytest.mark.parametrize("value", ["nosync", "littlesync", "O_DIRECT_NO_FSYNC", "3"])
def test_a_flush_method_that_does_not_sync_is_refused_with_those_that_do(value: str) -> None:
    (error,) = MariaDb().option_errors({"innodb-flush-method": value})
    assert "O_DIRECT, fsync, O_DSYNC" in error.allowed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("innodb_flush_method", "o_direct"),
        ("innodb_flush_log_at_timeout", "2"),
        ("skip-external-locking", "1"),
        ("skip-show-database", "1"),
        ("binlog_row_image", "MINIMAL"),
        ("max_connections", "200"),
        ("sort-buffer-size", "256K"),
    ],
)
def test_options_that_only_look_alike_are_the_users(name: str, value: str) -> None:
    assert MariaDb().option_errors({name: value}) == ()


@pytest.mark.parametrize(
    ("name", "value"), [("a b", "1"), ("", "1"), ("a]\n[x", "1"), ("max_connections", "1\nuser=root")]
)
def test_what_is_no_option_on_one_line_is_refused(name: str, value: str) -> None:
    (error,) = MariaDb().option_errors({name: value})
    assert "on one line" in error.allowed


def test_options_that_no_task_could_be_started_with_are_refused() -> None:
    """On an agent: `Failed to start the command: Argument list too long`, for ever."""
    many = {f"loose_option_{number}": "x" * 900 for number in range(150)}
    (error,) = MariaDb().option_errors(many)
    assert error.path == "spec.engine.config"
    assert "at most 32768 bytes in all" in error.allowed
    assert MariaDb().option_errors(dict(list(many.items())[:30])) == ()


@pytest.mark.parametrize(
    ("old", "new", "path", "allowed"),
    [
        ({}, {"innodb-page-size": "4k"}, "innodb-page-size", "it stays absent"),
        ({"innodb_page_size": "4k"}, {"innodb_page_size": "8k"}, "innodb_page_size", 'it stays "4k"'),
        ({"lower_case_table_names": "1"}, {}, "lower_case_table_names", 'it stays "1"'),
        ({"lower-case": "1"}, {"loose-lower_case_table": "0"}, "loose-lower_case_table", 'it stays "1"'),
    ],
)
def test_what_data_was_made_with_does_not_change(
    old: dict[str, str], new: dict[str, str], path: str, allowed: str
) -> None:
    (error,) = MariaDb().changed_errors(old, new)
    assert (error.path, error.allowed, error.reason) == (f"spec.engine.config.{path}", allowed, "Immutable")


def test_the_same_in_another_spelling_is_no_change() -> None:
    old, new = {"innodb_page_size": "16K", "max_connections": "1"}, {"innodb-page-size": "16k", "max_connections": "2"}
    assert MariaDb().changed_errors(old, new) == ()


def test_an_empty_database_is_made_with_what_cannot_change_later() -> None:
    options = {"innodb-page-size": "4k", "loose_lower_case_table_names": "1", "max_connections": "7"}
    text = MariaDb().render_first_config(options)
    assert text == '[mysqld]\ninnodb_page_size = "4k"\nlower_case_table_names = "1"\n'


def test_values_are_quoted_and_what_the_operator_owns_stands_last() -> None:
    orders = ServerOrders(
        listen_address="127.0.0.1",
        port=1,
        server_id=1,
        memory_bytes=2**28,
        options={"init-connect": 'SET @a = "x\\y" # z', "key_buffer_size": "1M"},
        user=None,
    )
    lines = MariaDb().render_config(orders, ServerPaths(data_directory="/d", run_directory="/r")).splitlines()
    assert 'init_connect = "SET @a = \\"x\\\\y\\" # z"' in lines
    assert [line for line in lines if line.startswith("key_buffer_size")] == ['key_buffer_size = "1M"']
    assert lines.index("datadir = /d") > lines.index('key_buffer_size = "1M"')
