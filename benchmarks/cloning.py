"""Thousands of databases from one that was made in earnest: what is stored of it and what runs for it, renamed.

To make each of them would take an hour of the API server's time and measure that; a fleet at rest looks the same.
"""

import base64
import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
KINDS = ("StatefulDatabase", "DatabaseVolume", "Secret")
FIRST_PORT = 31100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The database that is cloned. `agents` are id, host name and address of all, with `per_agent` members on each."""

    name: str
    uid: str
    agent: tuple[str, str, str]
    port: int
    agents: tuple[tuple[str, str, str], ...]
    per_agent: int
    secret_uid: str
    version: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Sample":
        fields = json.loads(text)
        agents = tuple((str(i), str(h), str(a)) for i, h, a in fields.pop("agents"))
        i, h, a = fields.pop("agent")
        return Sample(**fields, agent=(i, h, a), agents=agents)

    def cloned(self, text: str, number: int) -> str:
        """Return a text about the sample as it would be about clone `number`."""
        port = FIRST_PORT + 2 * (number % self.per_agent)
        for old, new in zip(self.agent, self.agents[number // self.per_agent], strict=True):
            text = re.sub(rf"(?<![\w.]){re.escape(old)}(?![\w])", new, text)
        for step in (0, 1):
            text = re.sub(rf"\b{self.port + step}\b", f"<{port + step}>", text)
        text = re.sub(r"<(\d+)>", r"\1", text)
        return text.replace(self.uid[:8], f"{number:08x}").replace(self.name, f"orders-{number}")

    def revision(self, number: int) -> str:
        """Return the revision of the connection Secret of clone `number`."""
        return f"{number:08x}{self.secret_uid[8:]}-{self.version + len(KINDS) * number + KINDS.index('Secret')}"


def clone_stored(file: Path, sample: Sample, count: int) -> None:
    """Add what is stored of `count` clones to the file of an API server that is stopped."""
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT kind, namespace, name, content FROM objects").fetchall()
    found = {}
    for kind, namespace, name, content in rows:
        stored = json.loads(content)
        if stored.get("kind") in KINDS and name.startswith(sample.name):
            found[stored["kind"]] = (kind, namespace, stored)
    assert set(found) == set(KINDS), sorted(found)
    for number in range(count):
        for position, what in enumerate(KINDS):
            kind, namespace, stored = found[what]
            data = {k: base64.b64decode(v).decode() for k, v in stored.get("data", {}).items()}
            clone = json.loads(sample.cloned(json.dumps({**stored, **({"data": data} if data else {})}), number))
            clone["metadata"]["uid"] = f"{number:08x}{stored['metadata']['uid'][8:]}"
            clone["metadata"]["resourceVersion"] = str(sample.version + len(KINDS) * number + position)
            if data:
                clone["data"] = {k: base64.b64encode(v.encode()).decode() for k, v in clone["data"].items()}
            line = (kind, namespace, clone["metadata"]["name"], json.dumps(clone))
            connection.execute("INSERT INTO objects VALUES (?, ?, ?, ?)", line)
    connection.execute("UPDATE counter SET version = ?", (sample.version + len(KINDS) * count,))
    connection.commit()
    connection.close()
