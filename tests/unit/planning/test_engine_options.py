"""Which options of MariaDB a manifest may name: none that would undo what is guaranteed, in whatever spelling."""

import pytest

from statefuldb.planning.engines.engine import ServerOrders, ServerPaths
from statefuldb.planning.engines.mariadb import MariaDb
from statefuldb.planning.engines.mariadb_names import USERS


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


def test_an_option_is_given_once_however_it_is_spelt() -> None:
    """Which of them holds would depend on the order in which they come."""
    given = {"innodb-page-size": "8k", "max_connections": "10", "innodb_page_size": "16k", "loose_Max-Connections": "9"}
    errors = MariaDb().option_errors(given)
    assert [error.path.rpartition(".")[2] for error in errors] == ["innodb_page_size", "loose_Max-Connections"]
    assert "innodb-page-size" in errors[0].allowed


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
        ("general_log", "1"),
        ("innodb_buffer_pool_instances", "8"),
        ("innodb-log-files-in-group", "2"),
        ("disable-log-slow-query", "1"),
        ("binlog_row_image", "MINIMAL"),
        ("max_connections", "200"),
        ("sort-buffer-size", "256K"),
    ],
)
def test_options_that_only_look_alike_are_the_users(name: str, value: str) -> None:
    assert MariaDb().option_errors({name: value}) == ()


@pytest.mark.parametrize(
    "name",
    [
        *("x.skip_grant_tables", "x.innodb_data_home_dir", "a.b.debug-no-sync", "hot.key_buffer_size"),
        *("max_conn", "skip-skip-external-locking", "a b", "", "a]\n[x", "no_such_option"),
    ],
)
def test_what_is_not_the_whole_name_of_an_option_is_refused(name: str) -> None:
    """The server drops what stands before a dot: `x.skip_grant_tables` let anybody in."""
    (error,) = MariaDb().option_errors({name: "1"})
    assert "the whole name of an option of MariaDB 10.11" in error.allowed


def test_a_slip_is_told_what_may_be_meant() -> None:
    (error,) = MariaDb().option_errors({"max-conections": "1"})
    assert error.fix == "remove it, or did you mean max_connections?"


def test_a_value_of_two_lines_is_refused() -> None:
    (error,) = MariaDb().option_errors({"max_connections": "1\nuser=root"})
    assert "on one line" in error.allowed


@pytest.mark.parametrize(
    "name",
    [
        *("general-log-file", "slow_query_log_file", "innodb_buffer_pool_filename", "innodb_tmpdir", "relay-log"),
        *("relay_log_info_file", "log_ddl_recovery", "symbolic-links", "skip-symbolic-links", "wsrep_data_home_dir"),
    ],
)
def test_no_option_names_a_file_that_may_be_anothers(name: str) -> None:
    """All servers of an agent run as one user: the buffer pool's dump replaced another database's `ibdata1`."""
    (error,) = MariaDb().option_errors({name: "/srv/shop/orders/0/mysql/ibdata1"})
    assert error.reason == "Forbidden"


def test_options_that_no_task_could_be_started_with_are_refused() -> None:
    """On an agent: `Failed to start the command: Argument list too long`, for ever."""
    many = dict.fromkeys(sorted(USERS)[:150], "x" * 900)
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


def rendered(options: dict[str, str]) -> list[str]:
    orders = ServerOrders(
        listen_address="127.0.0.1", port=1, server_id=1, memory_bytes=2**28, options=options, user=None
    )
    paths = ServerPaths(data_directory="/d", run_directory="/r", config_directory="/c")
    return MariaDb().render_config(orders, paths).splitlines()


def test_values_are_quoted_and_what_the_operator_owns_stands_last() -> None:
    lines = rendered({"init-connect": 'SET @a = "x\\y" # z', "key_buffer_size": "1M"})
    assert 'init_connect = "SET @a = \\"x\\\\y\\" # z"' in lines
    assert [line for line in lines if line.startswith("key_buffer_size")] == ['key_buffer_size = "1M"']
    assert lines.index("datadir = /d") > lines.index('key_buffer_size = "1M"')


def test_binary_logs_are_kept_for_a_week_unless_a_manifest_says_for_how_long() -> None:
    def kept(options: dict[str, str]) -> list[str]:
        return [line for line in rendered(options) if "expire_logs" in line]

    assert kept({}) == ["binlog_expire_logs_seconds = 604800"]
    assert kept({"binlog-expire-logs-seconds": "0"}) == ['binlog_expire_logs_seconds = "0"']
    assert kept({"loose_expire_logs_days": "30"}) == ['expire_logs_days = "30"']


def test_of_too_many_options_it_is_said_that_they_are_too_many_and_nothing_else() -> None:
    """A name has no limit of its own: each of them would be compared with all that there are, at each pass."""
    (error,) = MariaDb().option_errors({f"{'k' * 4096}{number}": "1" for number in range(200)})
    assert (error.path, error.fix) == ("spec.engine.config", "leave some out")
