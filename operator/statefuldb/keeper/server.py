"""The MariaDB server process: initialised, started, asked, stopped. Everything it inherits is decided here."""

import ctypes
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymysql

from statefuldb.keeper.files import sync_directory, sync_tree, write_durably
from statefuldb.keeper.owners import give, give_tree, identity, own_name, service_user
from statefuldb.keeper.refusal import Ended, Refused
from statefuldb.keeper.server_log import error_since, first_error, how, lack_of_space
from statefuldb.planning.engines.engine import Engine, ServerOrders, ServerPaths
from statefuldb.planning.engines.mariadb_names import DURABILITY, OWN_SCHEMAS
from statefuldb.planning.engines.mariadb_options import FLUSH_METHODS

PR_SET_CHILD_SUBREAPER = 36
CONNECT_SECONDS = 5
# What the server must say of itself before it counts as running.
GUARANTEED = {**{name: (value,) for name, value in DURABILITY.items()}, "innodb_flush_method": FLUSH_METHODS}
SHOWN_SETTINGS = ("innodb_buffer_pool_size", "max_connections")
# ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR.
_DENIED = (1045, 1698)
# Not all programs write UTF-8.
_HEARD: dict[str, Any] = {"capture_output": True, "text": True, "errors": "replace", "check": False}
_BINARY_PATHS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


def become_subreaper() -> None:
    """Adopt orphaned descendants, also without a PID namespace (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def installed_version() -> str:
    """Return the version of the server that is installed here. Raises Refused where there is none that runs."""
    binary = _binary("mariadbd")
    done = subprocess.run([binary, "--no-defaults", "--version"], **_HEARD)
    if done.returncode != 0:
        raise Refused(f"{binary} does not run on this agent: {first_error(done.stderr) or f'status {done.returncode}'}")
    found = re.search(r"Ver ([0-9]+\.[0-9]+\.[0-9]+)", done.stdout)
    return found[1] if found else "unknown"


class MariaDbServer:
    """One server on one data directory."""

    def __init__(self, *, engine: Engine, orders: ServerOrders, paths: ServerPaths) -> None:
        self._engine = engine
        self._orders = orders
        self._paths = paths
        self._user = service_user()
        self._name = own_name()
        self._process: subprocess.Popen[bytes] | None = None
        self._log: tuple[Path, int] | None = None
        self.denial = ""

    def version(self, wanted: str) -> str:
        """Return the server's real version. Raises Refused where it is not of the wanted release series."""
        real = installed_version()
        if not self._engine.runs_version(wanted, real):
            raise Refused(f"this agent has MariaDB {real}, the data is for {wanted}: not opened")
        return real

    def check_options(self) -> None:
        """Raise Refused where an option is not the user's: a spec may have been accepted when it still was."""
        for error in self._engine.option_errors(self._orders.options):
            raise Refused(f"{error}: edit the database, nothing is opened with this option")

    def initialise(self, data: Path, *, inherited: int) -> None:
        """Make an empty database: in a folder beside, renamed into place when it is whole.

        What makes it inherits the claim's descriptor: a keeper that is killed alone leaves it writing. Raises OSError
        (ENOSPC, EDQUOT) where the disk is full or the quota used up, Refused where it fails otherwise.
        """
        fresh, shown = data.with_suffix(".new"), Path(self._paths.data_directory).with_suffix(".new")
        fresh.mkdir(mode=0o700)
        give(fresh, self._user)
        self._make_run_directory()
        config = Path(self._paths.first_config_file)
        _write_config(config, self._engine.render_first_config(self._orders.options))
        command = [
            # Told the user by its own option, it writes as root into what is that user's.
            *([_binary("setpriv"), *identity(self._user)] if self._user is not None else []),
            _binary("mariadb-install-db"),
            f"--defaults-file={config}",
            # Called from within: the script takes each word of this for a folder.
            "--datadir=.",
            # A server that starts removes every temporary table in its tmpdir: in /tmp, those of other members too.
            f"--tmpdir={self._paths.run_directory}",
            "--auth-root-authentication-method=socket",
            f"--auth-root-socket-user={self._name}",
            "--skip-test-db",
            "--skip-name-resolve",
        ]
        done = subprocess.run(command, pass_fds=(inherited,), cwd=shown, **_HEARD)
        if done.returncode != 0:
            for line in f"{done.stderr}\n{done.stdout}".splitlines():
                if lacks := lack_of_space(line):
                    # Its temporary tables, which it names by their path, may lie on another disk than the data.
                    full = self._paths.run_directory if self._paths.run_directory in line else str(fresh)
                    raise OSError(lacks, os.strerror(lacks), full)
            raise Refused(f"mariadb-install-db failed: {first_error(done.stderr) or first_error(done.stdout)}")
        # It leaves much of it to the kernel, which may take half a minute.
        sync_tree(fresh)
        fresh.rename(data)
        sync_directory(data.parent)

    def start(self, *, inherited: int, log: Path) -> None:
        """Start the server with the claim's descriptor.

        Called on the main thread: the kernel ties the death signal to the thread that forks (prctl(2),
        PR_SET_PDEATHSIG).
        """
        self._make_run_directory()
        give_tree(Path(self._paths.data_directory), self._user)
        config = Path(self._paths.config_file)
        _write_config(config, self._engine.render_config(self._orders, self._paths))
        command = [_binary("setpriv"), "--pdeathsig", "KILL"]
        if self._user is not None:
            command += identity(self._user)
        command += [_binary("mariadbd"), f"--defaults-file={config}"]
        with log.open("ab") as output:
            self._log = (log, output.tell())
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(inherited,),
                process_group=0,
                env={"PATH": _BINARY_PATHS, "LC_ALL": "C.UTF-8"},
                cwd="/",
            )

    @property
    def pid(self) -> int:
        """The server's process id, 0 where there is none."""
        return self._process.pid if self._process is not None else 0

    def tell_end(self, call: Callable[[], None]) -> None:
        """Have `call` made, on another thread if one is to be had, as soon as a server that there is has gone."""
        process = self._process

        def wait() -> None:
            assert process is not None
            process.wait()
            call()

        if process is not None:
            with suppress(RuntimeError):
                threading.Thread(target=wait, name="server-end", daemon=True).start()

    def check_alive(self) -> None:
        """Raise Ended where the server is gone."""
        code = self._process.poll() if self._process is not None else None
        if code is not None:
            raise Ended(f"the database server ended by itself with {how(code)}")

    def complaint(self) -> str:
        """Return why a server that ended as it started did so; empty where somebody killed it."""
        code = self._process.poll() if self._process is not None else None
        if self._log is None or code is None or -code in (signal.SIGKILL, signal.SIGTERM):
            return ""
        return error_since(*self._log) or f"it ended with {how(code)}, and logged no error"

    def wait(self, seconds: float) -> None:
        """Wait up to `seconds` for the server to end. Raises Ended when it does."""
        assert self._process is not None
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return
        self.check_alive()

    def stop(self, grace_seconds: float) -> bool:
        """Stop the server cleanly, by force after `grace_seconds`. Return whether it was clean."""
        if self._process is None or self._process.poll() is not None:
            return True
        self._process.terminate()
        try:
            return self._process.wait(timeout=grace_seconds) == 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False

    def connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """Open the keeper's own connection, by socket and without a password. Raises OSError; `denial` is kept."""
        connection = pymysql.connect(
            defer_connect=True,
            user=self._name,
            autocommit=True,
            read_timeout=10,
            write_timeout=10,
        )
        try:
            connection.connect(self._socket())
        except (OSError, pymysql.MySQLError) as error:
            if error.args and error.args[0] in _DENIED:
                self.denial = (
                    f"the server does not let {self._name} in, as whom the keeper runs: the data has no such account "
                    "that logs in by the socket; run it as the user who made the data (--framework-user)"
                )
            raise OSError(f"the server does not answer: {error}") from error
        return connection

    def _socket(self) -> socket.socket:
        """Return a connection to this very server: another one of its user may have taken the place of its socket."""
        opened = socket.socket(socket.AF_UNIX)
        try:
            opened.settimeout(CONNECT_SECONDS)
            opened.connect(self._paths.socket)
            (process,) = struct.unpack_from("i", opened.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if process != self.pid:
                raise OSError(f"{self._paths.socket} is answered by process {process}, not by the server, {self.pid}")
        except OSError:
            opened.close()
            raise
        return opened

    def settings(self) -> Mapping[str, str]:
        """Ask the server what holds, and refuse where it is not durable. Raises OSError or Refused."""
        asked = (*GUARANTEED, *SHOWN_SETTINGS)
        names = ", ".join(f"@@{name}" for name in asked)
        try:
            with self.connect() as connection, connection.cursor() as cursor:
                cursor.execute(f"SELECT {names}")
                row = cursor.fetchone() or ()
        except pymysql.MySQLError as error:
            raise OSError(f"the server does not say its settings: {error}") from error
        values = dict(zip(asked, map(_text, row), strict=True))
        lax = [n for n, wanted in GUARANTEED.items() if values[n] not in (*wanted, *map(_number, wanted))]
        if lax:
            raise Refused(f"the server is not durable: {', '.join(f'{n}={values[n]}' for n in lax)}")
        return values

    def answers(self) -> bool:
        """Say whether the server answers a query now."""
        try:
            with self.connect() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                return cursor.fetchone() == (1,)
        except (OSError, pymysql.MySQLError):
            return False

    def set_account(self, username: str, password: str, database: str) -> None:
        """Have `database` and an account with all rights in it exist, with this password. Raises OSError."""
        if database.lower() in OWN_SCHEMAS:
            raise OSError(f"{database} is a schema of the server's own: an account with all rights there has any")
        schema = "`" + database.replace("`", "``") + "`"
        try:
            with self.connect() as connection, connection.cursor() as cursor:
                # The password is in the statement: it must reach neither the binary log's text nor any other log, which
                # a manifest may turn on.
                cursor.execute("SET SESSION sql_log_bin = 0, sql_log_off = 1, slow_query_log = 0")
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS {schema}")
                cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", (username, password))
                cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", (username, password))
                cursor.execute(
                    f"GRANT ALL PRIVILEGES ON {schema.replace('_', chr(92) + '_')}.* TO %s@'%%'",
                    (username,),
                )
        except pymysql.MySQLError as error:
            raise OSError(f"the account could not be set: error {error.args[0]}") from error

    def _make_run_directory(self) -> None:
        path = Path(self._paths.run_directory)
        path.mkdir(mode=0o700, exist_ok=True)
        give(path, self._user)


def _write_config(path: Path, text: str) -> None:
    """Write what the server reads and may not write. It holds no secret: Mesos shows all that the keeper was told."""
    write_durably(path, text, mode=0o644)


def _binary(name: str) -> str:
    found = shutil.which(name, path=_BINARY_PATHS)
    if found is None:
        raise Refused(f"{name} is not installed on this agent")
    return found


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _number(flag: str) -> str:
    return {"ON": "1", "OFF": "0"}.get(flag, flag)
