"""The record of one sync: a ConfigMap with its inventory, and with its status for people."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from statefuldb.model.identity import LABEL_SYNC
from statefuldb.sync.inventory import Inventory
from statefuldb.sync.ports import Json

PREFIX = "statefuldb-sync-"
COMPONENT = "statefuldb-sync"
LISTED_LIMIT = 100
TEXT_LIMIT = 500
MESSAGE_LIMIT = 1000
_LISTS = ("errors", "kept", "drift", "pruned")


class State(StrEnum):
    """How a pass ended."""

    SYNCED = "Synced"
    PARTIAL = "Partial"
    FAILED = "Failed"

    @property
    def event_reason(self) -> str:
        """The reason of the Event that tells of it."""
        return "Synced" if self is State.SYNCED else f"Sync{self}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What `statefuldb sync status` prints. `revision` is the last one that was applied, as far as it could be.

    `drift` is what was changed by others, and put right, while this revision was the present one.
    """

    source: str
    state: State
    revision: str = ""
    objects: int = 0
    errors: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    at: str = ""

    def to_object(self) -> Json:
        """Return the status as plain JSON."""
        lists = {n: [text[:TEXT_LIMIT] for text in getattr(self, n)[:LISTED_LIMIT]] for n in _LISTS}
        plain = {"source": self.source, "state": str(self.state), "revision": self.revision, "objects": self.objects}
        return {**plain, **lists, "at": self.at}

    def to_json(self) -> str:
        """Return the text that is stored."""
        return json.dumps(self.to_object(), indent=1)

    @staticmethod
    def from_json(text: str) -> "Status | None":
        """Read the text back; None where it is none, since a status is only what was said last."""
        try:
            stored = json.loads(text)
            lists = {n: tuple(map(str, stored[n])) for n in _LISTS}
            return Status(
                source=str(stored["source"]),
                state=State(stored["state"]),
                revision=str(stored["revision"]),
                objects=int(stored["objects"]),
                at=str(stored["at"]),
                **lists,
            )
        except (KeyError, TypeError, ValueError):
            return None

    def same_as(self, other: "Status | None") -> bool:
        """Say whether two statuses differ in nothing but their time."""
        return other is not None and replace(Status.from_json(self.to_json()) or self, at="") == replace(other, at="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One sync as stored. `resource_version` is empty where nothing was stored yet."""

    namespace: str
    name: str
    inventory: Inventory
    status: Status | None = None
    resource_version: str = ""
    uid: str = ""

    def to_object(self) -> Json:
        """Return the ConfigMap."""
        metadata = {"name": PREFIX + self.name, "namespace": self.namespace, "labels": {LABEL_SYNC: self.name}}
        if self.resource_version:
            metadata["resourceVersion"] = self.resource_version
        status = self.status.to_json() if self.status is not None else ""
        data = {"inventory": self.inventory.to_json(), "status": status}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}

    @staticmethod
    def from_object(stored: Json) -> "Record":
        """Read a ConfigMap back. Raises ValueError where its inventory is damaged."""
        metadata, data = stored["metadata"], stored.get("data") or {}
        return Record(
            namespace=metadata["namespace"],
            name=metadata["name"].removeprefix(PREFIX),
            inventory=Inventory.from_json(data.get("inventory", "")),
            status=Status.from_json(data.get("status", "")),
            resource_version=metadata["resourceVersion"],
            uid=metadata["uid"],
        )

    def event(self, status: Status) -> Json:
        """Return the Event of a revision, or of a failure, about this record."""
        message = summary(status)[:MESSAGE_LIMIT]
        digest = hashlib.sha256(f"{self.uid} {status.at} {message}".encode()).hexdigest()[:16]
        failed = status.state is not State.SYNCED
        name = PREFIX + self.name
        about = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "namespace": self.namespace, "uid": self.uid}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.{digest}", "namespace": self.namespace},
            "involvedObject": about,
            "reason": status.state.event_reason,
            "message": message,
            "type": "Warning" if failed else "Normal",
            "firstTimestamp": status.at,
            "lastTimestamp": status.at,
            "count": 1,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": COMPONENT,
        }


def summary(status: Status) -> str:
    """Return a status in a sentence."""
    parts = [f"revision {status.revision[:12] or 'none'}", f"{status.objects} objects"]
    for name in _LISTS:
        found = getattr(status, name)
        parts += [f"{len(found)} {name}: {'; '.join(found[:5])}"] if found else []
    return ", ".join(parts)


def now() -> str:
    """Return the present time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
