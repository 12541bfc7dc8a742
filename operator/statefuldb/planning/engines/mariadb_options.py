"""Which options of MariaDB are the operator's, and which its data is made with, in every spelling of the server's.

The server takes `-` for `_`, any case in a file, the prefixes of `PREFIXES` before a name, and the beginning of a name
where only one option begins so (MariaDB manual, "mariadbd options", "Option prefixes"). What begins like an owned
option is therefore refused as that option is.
"""

import json
from collections.abc import Collection, Iterator, Mapping

from statefuldb.model.check import shown
from statefuldb.model.errors import FieldError

DURABILITY = {
    "innodb_flush_log_at_trx_commit": "1",
    "sync_binlog": "1",
    "innodb_doublewrite": "ON",
}
# Each of them syncs the redo log; the others (littlesync, nosync, O_DIRECT_NO_FSYNC) may not.
FLUSH_METHODS = ("O_DIRECT", "fsync", "O_DSYNC")
PREFIXES = ("loose_", "skip_", "disable_", "enable_", "maximum_")

_DURABLE = "the operator guarantees that an acknowledged write is durable"
_PLACE = "the storage strategy says where data lies"
_OWNED = {
    **dict.fromkeys((*DURABILITY, "debug_no_sync", "sync_frm", "aria_sync_log_dir"), _DURABLE),
    **dict.fromkeys(
        (
            *("datadir", "tmpdir", "aria_log_dir_path", "log_bin_index", "innodb_data_file_path"),
            *("innodb_data_home_dir", "innodb_log_group_home_dir", "innodb_temp_data_file_path"),
            "innodb_undo_directory",
        ),
        _PLACE,
    ),
    **dict.fromkeys(
        ("port", "extra_port", "bind_address", "socket", "skip_networking", "pid_file"),
        "the offer and the keeper say where the server listens",
    ),
    **dict.fromkeys(
        (
            *("user", "log_bin", "server_id", "gtid_strict_mode", "binlog_format", "skip_grant_tables"),
            *("log_error", "init_file", "plugin_dir", "plugin_load", "plugin_load_add", "secure_file_priv"),
            *("read_only", "innodb_read_only", "innodb_force_recovery", "skip_name_resolve"),
            *("basedir", "bootstrap", "chroot", "tc_heuristic_recover"),
        ),
        "the keeper needs it as it sets it",
    ),
    **dict.fromkeys(
        ("wsrep_notify_cmd", "wsrep_provider", "wsrep_on"),
        "it runs what the manifest names; replication is not built yet",
    ),
}

# They travel in one environment variable, which the kernel bounds at 128 KiB, and Mesos quotes them once more before.
OPTIONS_MAX_BYTES = 32 * 1024

# What data is made with: with another value the server does not open it, or does not find its tables.
_MADE_WITH = ("innodb_page_size", "innodb_undo_tablespaces", "aria_block_size", "lower_case_table_names")


def plain(name: str) -> str:
    """Return an option's name in the one spelling used here, without `loose_`, which only hides mistakes."""
    name = name.lower().replace("-", "_")
    while name.startswith("loose_"):
        name = name.removeprefix("loose_")
    return name


def option_errors(options: Mapping[str, str]) -> Iterator[FieldError]:
    """Yield an error for each option that the operator owns, that is none, or that would undo what it guarantees."""
    size = len(json.dumps(dict(options)))
    if size > OPTIONS_MAX_BYTES:
        allowed = f"at most {OPTIONS_MAX_BYTES} bytes in all, as JSON"
        yield FieldError(path="spec.engine.config", value=f"{size} bytes", allowed=allowed, fix="leave some out")
    for name, value in options.items():
        path = f"spec.engine.config.{name}"
        owned = _meant(plain(name), _OWNED)
        if owned is not None:
            meant = "" if owned == plain(name) else f", which the server may take for {owned},"
            yield _forbidden(path, value, f"this option{meant} is not the user's: {_OWNED[owned]}")
        elif not (_is_name(name) and value.isprintable()):
            yield _forbidden(path, value, "this option is not the user's: it is not an option on one line")
        elif "innodb_flush_method".startswith(plain(name)) and value.lower() not in map(str.lower, FLUSH_METHODS):
            yield FieldError(
                path=path,
                value=shown(value),
                allowed=f"one of {', '.join(FLUSH_METHODS)}: {_DURABLE}",
                reason="Forbidden",
            )


def changed_errors(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[FieldError]:
    """Yield an error for each option that data was made with and that would change."""
    before, after = made_with(old), made_with(new)
    for option in _MADE_WITH:
        was, value = before.get(option), after.get(option)
        if (was and was[1].lower()) != (value and value[1].lower()):
            yield FieldError(
                path=f"spec.engine.config.{(value or was or (option, ''))[0]}",
                value=shown(value[1] if value else None),
                allowed=f"it stays {shown(was[1])}" if was else "it stays absent",
                fix="the data was made with it: create another database, and load a dump there",
                reason="Immutable",
            )


def made_with(options: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return by option what data is made with: the name as the user wrote it, and its value."""
    meant = ((_meant(plain(name), _MADE_WITH), (name, value)) for name, value in options.items())
    return {option: given for option, given in meant if option is not None}


def _meant(name: str, among: Collection[str]) -> str | None:
    """Return the option of `among` that the server may take `name` for."""
    while True:
        if name in among:
            return name
        meant = next((option for option in among if name and option.startswith(name)), None)
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)
        if meant is not None or prefix is None:
            return meant
        name = name.removeprefix(prefix)


def _forbidden(path: str, value: str, allowed: str) -> FieldError:
    return FieldError(path=path, value=shown(value), allowed=allowed, fix="remove it", reason="Forbidden")


def _is_name(name: str) -> bool:
    return name.replace("-", "").replace("_", "").replace(".", "").isalnum()
