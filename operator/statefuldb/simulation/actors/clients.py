"""Applications: each writes rows to its database, remembers which were acknowledged, and where."""

import base64
from dataclasses import dataclass, field

from statefuldb.model.identity import connection_secret_name
from statefuldb.simulation.actors.people import NAMESPACE
from statefuldb.simulation.clockwork.dice import Dice
from statefuldb.simulation.clockwork.schedule import Schedule
from statefuldb.simulation.cluster.api import ApiServer
from statefuldb.simulation.cluster.host import Host
from statefuldb.simulation.cluster.keeper import Keeper
from statefuldb.simulation.cluster.storage import Directory

WRITE_SECONDS = 3.0


@dataclass(slots=True, eq=False)
class Clients:
    """One writer for each database name. `acknowledged` are rows by the directory that took them."""

    api: ApiServer
    hosts: list[Host]
    schedule: Schedule
    dice: Dice
    acknowledged: dict[Directory, list[int]] = field(default_factory=dict)
    writes: int = 0

    def begin(self, name: str) -> None:
        """Write to one database from now on, now and then."""

        def write() -> None:
            self.write(name)
            self.begin(name)

        self.schedule.after(self.dice.between(0.5, 1.5) * WRITE_SECONDS, write)

    def write(self, name: str) -> None:
        """Write one row, where the database can be reached as its Secret says."""
        server = self.connect(name)
        if server is None or server.directory is None or server.full:
            return
        self.writes += 1
        server.directory.rows.append(self.writes)
        self.acknowledged.setdefault(server.directory, []).append(self.writes)

    def latest_row_of(self, uid: str) -> int:
        """Return the last row of some data that was acknowledged and lies anywhere, 0 where there is none."""
        held = [(d.identity, rows) for d, rows in self.acknowledged.items() if rows]
        return max((max(rows) for identity, rows in held if identity is not None and identity["uid"] == uid), default=0)

    def connect(self, name: str) -> Keeper | None:
        """Return the server that answers to the Secret of a database; None where none does, or refuses the account."""
        secret = self.api.find("secrets", NAMESPACE, connection_secret_name(name))
        if secret is None:
            return None
        data = {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}
        host = next((h for h in self.hosts if h.address == data.get("host") and h.network), None)
        server = host.server_at(int(data["port"])) if host is not None else None
        if server is None or server.hung or server.directory is None:
            return None
        return server if server.directory.account == f"{data.get('username')}:{data.get('password')}" else None
