"""What watches while things are killed: a client that counts what was acknowledged, and an eye on the open files."""

import os
import threading
import time
from pathlib import Path

import pymysql

from e2e.conftest import Cluster, eventually

WRITE_PAUSE_SECONDS = 0.005
LOOK_PAUSE_SECONDS = 0.05


class Writer:
    """A client that writes rows and remembers which of them were acknowledged."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._stop = threading.Event()
        self.acknowledged: list[int] = []
        self._thread = threading.Thread(target=self._write, daemon=True)
        cluster.sql(name, "CREATE TABLE IF NOT EXISTS rows_written (n BIGINT PRIMARY KEY)")
        self._thread.start()

    def _write(self) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                secret = self._cluster.client.secret("default", f"{self._name}-connection") or {}
                connection = pymysql.connect(
                    host=secret["host"],
                    port=int(secret["port"]),
                    user=secret["username"],
                    password=secret["password"],
                    database=secret["database"],
                    autocommit=True,
                    connect_timeout=2,
                    read_timeout=5,
                )
                with connection, connection.cursor() as cursor:
                    while not self._stop.is_set():
                        number += 1
                        cursor.execute("INSERT INTO rows_written VALUES (%s)", (number,))
                        self.acknowledged.append(number)
                        time.sleep(WRITE_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - everything may fail while things are killed; the rows tell
                self._stop.wait(0.1)

    def grows(self) -> None:
        """Wait until more rows are acknowledged."""
        before = len(self.acknowledged)
        eventually(lambda: len(self.acknowledged) > before + 5)

    def check(self) -> None:
        """Stop, and compare what was acknowledged with what is there."""
        self._stop.set()
        self._thread.join(20)
        rows = self._cluster.sql(self._name, "SELECT n FROM rows_written")
        present = {int(line) for line in rows.splitlines()}
        missing = [n for n in self.acknowledged if n not in present]
        assert not missing, f"{len(missing)} acknowledged rows are lost: {missing[:10]}"


class OneWriter:
    """Looks all the time whether two living servers have one data file open (law `one_writer`).

    Servers are told apart by pid and data by the inode of their system tablespace, which is the same through every
    mount of a shared file system.
    """

    def __init__(self) -> None:
        self.looks = 0
        self.violations: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Stop looking. Raises AssertionError where two were ever seen."""
        self._stop.set()
        self._thread.join(20)
        assert self.looks > 0
        assert not self.violations, self.violations[0]

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_PAUSE_SECONDS):
            seen: dict[int, int] = {}
            for pid in _servers():
                for inode in _tablespaces(pid):
                    other = seen.setdefault(inode, pid)
                    if other != pid:
                        self.violations.append(f"servers {other} and {pid} have one ibdata1 open")
            self.looks += len(seen)


def _servers() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == "mariadbd":
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _tablespaces(pid: int) -> list[int]:
    try:
        links = list(Path(f"/proc/{pid}/fd").iterdir())
        return [link.stat().st_ino for link in links if os.readlink(link).endswith("/ibdata1")]
    except OSError:
        return []
