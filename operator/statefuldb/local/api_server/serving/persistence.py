"""The SQLite file under the store: what was answered survives a kill -9."""

import json
import sqlite3
from pathlib import Path

from statefuldb.local.api_server.objects.store import Change, Json
from statefuldb.local.api_server.objects.stored import Address

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT, namespace TEXT, name TEXT, content TEXT NOT NULL, PRIMARY KEY (kind, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 0), version INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (0, 1);
"""


class Persistence:
    """Objects in one file. Each change is one transaction, synced."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    def load(self) -> tuple[int, dict[Address, Json]]:
        """Return the last version and all objects."""
        (version,) = self._connection.execute("SELECT version FROM counter").fetchone()
        rows = self._connection.execute("SELECT kind, namespace, name, content FROM objects")
        return version, {(kind, ns, name): json.loads(content) for kind, ns, name, content in rows}

    def save(self, change: Change) -> None:
        """Write one change."""
        with self._connection:
            self._connection.execute("BEGIN")
            if change.type == "DELETED":
                self._connection.execute(
                    "DELETE FROM objects WHERE kind = ? AND namespace = ? AND name = ?", change.address
                )
            else:
                self._connection.execute(
                    "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
                    (*change.address, json.dumps(change.object)),
                )
            self._connection.execute("UPDATE counter SET version = ?", (change.version,))
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
