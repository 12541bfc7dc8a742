"""MariaDB: the first dialect of the mysql family."""

from collections.abc import Mapping

from statefuldb.model.errors import FieldError
from statefuldb.planning.engines.engine import ServerOrders, ServerPaths
from statefuldb.planning.engines.mariadb_names import DURABILITY, OWN_SCHEMAS
from statefuldb.planning.engines.mariadb_options import changed_errors, made_with, option_errors, plain

MIB = 1024 * 1024
KEEPER_SHARE_BYTES = 64 * MIB
BUFFER_POOL_PERCENT = 50
BUFFER_POOL_MINIMUM_BYTES = 8 * MIB
# Otherwise the server keeps them for ever, until they have filled the disk; a manifest may say how long. Either option
# sets the other one, too.
BINARY_LOGS_SECONDS = 7 * 24 * 3600
_BINARY_LOGS_KEPT = {"binlog_expire_logs_seconds", "expire_logs_days"}


class MariaDb:
    """MariaDB 10.11."""

    name = "MariaDB"
    versions: tuple[str, ...] = ("10.11",)
    data_subdirectory = "mysql"

    def application_name(self, name: str) -> str:
        """Take what needs no quotes, and never a schema of the server's own: the account has all rights there."""
        unquoted = name.replace("-", "_").replace(".", "_")
        return f"{unquoted}_db" if unquoted in OWN_SCHEMAS else unquoted

    def option_errors(self, options: Mapping[str, str]) -> tuple[FieldError, ...]:
        """Refuse what is not the whole name of an option of the user's, and values that undo what is the operator's."""
        return tuple(option_errors(options))

    def changed_errors(self, old: Mapping[str, str], new: Mapping[str, str]) -> tuple[FieldError, ...]:
        """Refuse to change what data was made with."""
        return tuple(changed_errors(old, new))

    def made_with(self, options: Mapping[str, str]) -> Mapping[str, str]:
        """Values in small letters: the server takes those of these options in any."""
        return {option: value.lower() for option, (_, value) in made_with(options).items()}

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
        chosen = {plain(name): _quoted(value) for name, value in orders.options.items()}
        kept = {} if chosen.keys() & _BINARY_LOGS_KEPT else {"binlog_expire_logs_seconds": str(BINARY_LOGS_SECONDS)}
        lines = {**self.sizing(orders.memory_bytes), **kept, **chosen}
        owned = {
            **DURABILITY,
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
            # With links any account may make a table whose rows lie outside the data directory (DATA DIRECTORY).
            "symbolic_links": "OFF",
        }
        if orders.user is not None:
            owned["user"] = orders.user
        body = "".join(f"{name} = {value}\n" for name, value in {**lines, **owned}.items())
        return f"[mysqld]\n{body}"

    def render_first_config(self, options: Mapping[str, str]) -> str:
        """Return the configuration file for making an empty database: what later can not be changed."""
        lines = (f"{option} = {_quoted(value)}\n" for option, (_, value) in made_with(options).items())
        return f"[mysqld]\n{''.join(lines)}"

    def runs_version(self, wanted: str, real: str) -> bool:
        """Only the very release series: never a substitute, never a downgrade."""
        return real == wanted or real.startswith((f"{wanted}.", f"{wanted}-"))


def _quoted(value: str) -> str:
    """Return a value so that the server reads just this text: bare, a `#` in it and what follows would be lost."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
