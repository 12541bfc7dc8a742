"""What the operator and a keeper say to each other (docs/keeper.md): configuration, status, and their JSON forms.

A keeper's configuration travels in the task's environment, which Mesos shows to anyone: it holds public material only.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from statefuldb.model.identity import TaskId

PROTOCOL_VERSION = 1
ENVIRONMENT_VARIABLE = "STATEFULDB_KEEPER"
# The ledger entry at the launch, in JSON, as it is in the task's label. Older keepers do not look at it.
LEDGER_VARIABLE = "STATEFULDB_LEDGER"
CERTIFICATE_FILE = "keeper.crt"
SCAN_FILE = "scan.jsonl"
PROBE_FILE = "probe.json"
# With which a keeper ends that nobody can ask why: its own address is taken.
EXIT_CANNOT_LISTEN = 65
# X509_V_FLAG_NO_CHECK_TIME (X509_VERIFY_PARAM_set_flags(3)). Keeper and operator know each other by certificates that
# are theirs alone, and neither is made anew while the other runs: that one is not valid says only whose clock is wrong.
WHATEVER_THE_TIME = 0x200000
# What a keeper sends while it is waited for, where it is asked to: an interim answer (RFC 9110 section 15.2).
SIGN_OF_LIFE = b"HTTP/1.1 102 Processing\r\n\r\n"
DISK_FULL_BELOW_BYTES = 32 * 1024 * 1024
# In every refusal to begin anew where a server has written before: what it had written is not there.
DATA_EXPECTED = "where data is expected"
# Where a marker says what data was made with.
MADE_WITH = "madeWith"
# How a keeper's refusal says that the directory has data, and not this member's.
OF_ANOTHER = "belongs to another member"


class KeeperPhase(StrEnum):
    """Where a keeper is between its start and its end."""

    CHECKING = "Checking"
    WAITING_FOR_CLAIM = "WaitingForClaim"
    BOOTSTRAPPING = "Bootstrapping"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    DISK_FULL = "DiskFull"
    REFUSED = "Refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLocation:
    """Where the data lies and what must be true before it is opened.

    `directory` is absolute, or relative to the sandbox for a persistent volume. `root` is the directory that it must
    lie under. The mount fields are for DFS, and so is what the ledger may not know of: the launches numbered above
    `unheard_after`, up to `unheard_until`.
    """

    strategy: str
    directory: str
    root: str | None = None
    create: bool = False
    mount_point: str | None = None
    filesystem: str | None = None
    source: str | None = None
    unheard_after: int | None = None
    unheard_until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperConfig:
    """One keeper's orders. `bootstrap` is "Empty" where a fresh directory may be initialised, else "None"."""

    mode: str
    cluster: str
    uid: str
    namespace: str
    name: str
    ordinal: int
    incarnation: int
    task_id: str
    engine: str
    version: str
    config: Mapping[str, str]
    memory_bytes: int
    data: DataLocation
    bootstrap: str
    minimum_token: int
    listen_address: str
    port: int
    keeper_port: int
    operator_ca_pem: str
    stop_grace_seconds: int
    protocol: int = PROTOCOL_VERSION

    def unheard_of(self, launch: TaskId) -> bool:
        """Whether the ledger does not know that this launch of the member's is over, which has opened the data.

        It knows nothing of one that is later than its own, nor of those that a restore of the API may have made it
        forget. Another member's launch that left no marker has written no data there.
        """
        incarnation = launch.incarnation
        after, until = self.data.unheard_after, self.data.unheard_until
        forgotten = after is not None and until is not None and after < incarnation <= until
        mine = (launch.uid, launch.ordinal) == (self.uid, self.ordinal)
        return mine and (forgotten or incarnation >= self.incarnation)

    def to_json(self) -> str:
        """Return the text that goes into the environment variable."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "KeeperConfig":
        """Read the text back. Raises ValueError where it is of another protocol, or asks for what is unknown here."""
        try:
            orders = json.loads(text)
            if orders["protocol"] != PROTOCOL_VERSION:
                raise ValueError(f"keeper protocol {orders['protocol']}, not {PROTOCOL_VERSION}")
            return KeeperConfig(**{**orders, "data": DataLocation(**_asked(orders["data"]))})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a keeper configuration: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """The database server as its keeper sees it."""

    version: str = ""
    pid: int = 0
    ready: bool = False
    answers_sql: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperStatus:
    """One answer of a keeper. `revision` grows with each change, for long polling.

    `opened_number` is that of the launch that opened the data last, where that is why it refuses, else 0; `opened_by`
    is the ledger entry at that launch, in JSON, empty where that is unknown. `made_with` are the options that the data
    was made with, where they are why it refuses, else None.
    """

    task_id: str
    revision: int
    phase: KeeperPhase
    reason: str = ""
    opened_by: str = ""
    opened_number: int = 0
    made_with: Mapping[str, str] | None = None
    token: int = 0
    claim_held: bool = False
    engine: EngineStatus = EngineStatus()
    credentials_revision: str = ""
    disk_total_bytes: int = 0
    disk_free_bytes: int = 0
    protocol: int = PROTOCOL_VERSION

    def to_json(self) -> str:
        """Return the body of a status answer."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "KeeperStatus":
        """Read a status answer. What is unknown in it does not count. Raises ValueError where it is no status."""
        try:
            told = _known(KeeperStatus, json.loads(text))
            # A name on a disk may be no UTF-8, which Python holds as surrogates: no API server keeps them as they are.
            told["reason"] = str(told.get("reason", "")).encode(errors="replace").decode()
            engine = EngineStatus(**_known(EngineStatus, told.pop("engine")))
            phase = KeeperPhase(told.pop("phase"))
            return KeeperStatus(**told, engine=engine, phase=phase)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a keeper status: {error}") from error


def _asked(orders: Mapping[str, Any]) -> dict[str, Any]:
    """Return what orders ask for: a field of another version that holds null asks for nothing."""
    return {name: value for name, value in orders.items() if value is not None}


def _known(kind: Any, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a type has fields for."""
    return {each.name: told[each.name] for each in fields(kind) if each.name in told}
