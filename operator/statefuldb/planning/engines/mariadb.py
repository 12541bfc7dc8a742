"""MariaDB: the first dialect of the mysql family."""

from collections.abc import Mapping

from statefuldb.model.errors import FieldError
from statefuldb.planning.engines.engine import ServerOrders, ServerPaths

MIB = 1024 * 1024
KEEPER_SHARE_BYTES = 64 * MIB
BUFFER_POOL_PERCENT = 50
BUFFER_POOL_MINIMUM_BYTES = 8 * MIB

_DURABILITY = {
    "innodb_flush_log_at_trx_commit": "1",
    "sync_binlog": "1",
    "innodb_doublewrite": "ON",
}
_OWNED = {
    **dict.fromkeys(_DURABILITY, "the operator guarantees that an acknowledged write is durable"),
    **dict.fromkeys(("datadir", "innodb_data_home_dir", "innodb_log_group_home_dir", "tmpdir"),
                    "the storage strategy says where data lies"),
    **dict.fromkeys(("port", "bind_address", "socket", "skip_networking", "pid_file"),
                    "the offer and the keeper say where the server listens"),
    **dict.fromkeys(("user", "log_bin", "server_id", "gtid_strict_mode", "binlog_format", "skip_grant_tables",
                     "log_error", "init_file", "plugin_dir", "plugin_load", "plugin_load_add", "secure_file_priv",
                     "read_only", "innodb_read_only", "innodb_force_recovery", "skip_name_resolve"),
                    "the keeper needs it as it sets it"),
}  # fmt: skip


class MariaDb:
    """MariaDB 10.11."""

    name = "MariaDB"
    versions: tuple[str, ...] = ("10.11",)
    data_subdirectory = "mysql"

    def option_errors(self, options: Mapping[str, str]) -> tuple[FieldError, ...]:
        """Refuse options that the operator owns, in any spelling the server takes."""
        errors = []
        for name, value in options.items():
            reason = _OWNED.get(_plain(name))
            if reason is None and not (_is_name(name) and _is_value(value)):
                reason = "it is not an option on one line"
            if reason is not None:
                errors.append(
                    FieldError(
                        path=f"spec.engine.config.{name}",
                        value=repr(value),
                        allowed=f"this option is not the user's: {reason}",
                        fix="remove it",
                        reason="Forbidden",
                    )
                )
        return tuple(errors)

    def sizing(self, memory_bytes: int) -> Mapping[str, str]:
        """Give the buffer pool half of what is left after the keeper; it is the one large consumer of InnoDB."""
        left = memory_bytes - KEEPER_SHARE_BYTES
        pool = max(BUFFER_POOL_MINIMUM_BYTES, left * BUFFER_POOL_PERCENT // 100)
        return {
            "innodb_buffer_pool_size": str(pool // MIB * MIB),
            "innodb_buffer_pool_chunk_size": str(min(pool // MIB, 128) * MIB),
            "key_buffer_size": str(8 * MIB),
        }

    def render_config(self, orders: ServerOrders, paths: ServerPaths) -> str:
        """Return the configuration file. What the operator owns stands last, so it holds."""
        chosen = {_plain(name): value for name, value in orders.options.items()}
        lines = {**self.sizing(orders.memory_bytes), **chosen}
        owned = {
            **_DURABILITY,
            "datadir": paths.data_directory,
            "socket": paths.socket,
            "pid_file": f"{paths.run_directory}/server.pid",
            "tmpdir": paths.run_directory,
            "bind_address": orders.listen_address,
            "port": str(orders.port),
            "server_id": str(orders.server_id),
            "log_bin": "binlog",
            "binlog_format": "ROW",
            "gtid_strict_mode": "ON",
            "skip_name_resolve": "ON",
        }
        if orders.user is not None:
            owned["user"] = orders.user
        body = "".join(f"{name} = {value}\n" for name, value in {**lines, **owned}.items())
        return f"[mysqld]\n{body}"

    def runs_version(self, wanted: str, real: str) -> bool:
        """Only the very release series: never a substitute, never a downgrade."""
        return real == wanted or real.startswith((f"{wanted}.", f"{wanted}-"))


def _plain(name: str) -> str:
    """Return an option's name in the one spelling used here; the server takes `-` and `_`, and `loose_` before it."""
    return name.lower().replace("-", "_").removeprefix("loose_")


def _is_name(name: str) -> bool:
    return name.replace("-", "").replace("_", "").replace(".", "").isalnum()


def _is_value(value: str) -> bool:
    return value.isprintable()
