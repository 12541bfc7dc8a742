"""Kubernetes Events: one for each distinct thing said, counted up where it is said again."""

import hashlib
import threading
from datetime import UTC, datetime
from logging import getLogger
from typing import Any

import kubernetes

from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.objects import MERGE_PATCH
from statefuldb.model.plan import Announcement
from statefuldb.model.schema.crd import API_VERSION
from statefuldb.reconcile.ports import EffectFailed, Machine

log = getLogger(__name__)
COMPONENT = "statefuldb"
MESSAGE_LIMIT = 1000
WAITING_LIMIT = 10_000


class Events:
    """Sends Events on a lane of their own: no pass waits for one, none fails for one."""

    def __init__(self, client: Any, instance: str, machine: Machine) -> None:
        self._api = kubernetes.client.CoreV1Api(client)
        self._instance = instance
        self._last: dict[str, str] = {}
        self._machine = machine
        self._lane = machine.lane("events")
        self._room = threading.Semaphore(WAITING_LIMIT)

    def announce(self, database: dict[str, str], announcement: Announcement) -> None:
        """Send an Event about a database, unless the last one about it said the same."""
        text = f"{announcement.reason} {announcement.message}"
        if self._last.get(database["uid"]) == text:
            return
        self._last[database["uid"]] = text
        if self._room.acquire(blocking=False):
            self._lane(lambda: self._try(database, announcement))
        else:
            log.warning("too many Events are waiting; one was left out")

    def _try(self, database: dict[str, str], announcement: Announcement) -> None:
        self._room.release()
        try:
            self._send(database, announcement)
        except EffectFailed as error:
            log.warning("Event not sent: %s", error)

    def _send(self, database: dict[str, str], announcement: Announcement) -> None:
        message = announcement.message[:MESSAGE_LIMIT]
        text = f"{database['uid']} {announcement.reason} {message}"
        name = f"{database['name']}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        namespace = database["namespace"]
        now = datetime.fromtimestamp(self._machine.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        held = find(f"get Event {name}", lambda: self._api.read_namespaced_event(name, namespace))
        if held is not None:
            again = {"count": (held.count or 1) + 1, "lastTimestamp": now}
            call(
                f"count Event {name}",
                lambda: self._api.patch_namespaced_event(name, namespace, again, _content_type=MERGE_PATCH),
            )
            return
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {"apiVersion": API_VERSION, "kind": "StatefulDatabase", **database},
            "reason": str(announcement.reason),
            "message": message,
            "type": "Warning" if announcement.warning else "Normal",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
        }
        call(f"create Event {name}", lambda: self._api.create_namespaced_event(namespace, body))
