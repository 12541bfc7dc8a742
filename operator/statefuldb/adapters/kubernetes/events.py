"""Kubernetes Events: one for each distinct thing said, counted up where it is said again."""

import hashlib
import queue
import threading
from datetime import UTC, datetime
from logging import getLogger
from typing import Any

import kubernetes

from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.objects import MERGE_PATCH
from statefuldb.model.plan import Announcement
from statefuldb.model.schema.crd import API_VERSION
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
COMPONENT = "statefuldb"
MESSAGE_LIMIT = 1000


class Events:
    """Sends Events on a thread of its own: no pass waits for one, none fails for one."""

    def __init__(self, client: Any, instance: str) -> None:
        self._api = kubernetes.client.CoreV1Api(client)
        self._instance = instance
        self._last: dict[str, str] = {}
        self._queue: queue.Queue[tuple[dict[str, str], Announcement] | None] = queue.Queue(maxsize=10_000)
        threading.Thread(target=self._send_all, name="events", daemon=True).start()

    def announce(self, database: dict[str, str], announcement: Announcement) -> None:
        """Send an Event about a database, unless the last one about it said the same."""
        text = f"{announcement.reason} {announcement.message}"
        if self._last.get(database["uid"]) == text:
            return
        self._last[database["uid"]] = text
        try:
            self._queue.put_nowait((database, announcement))
        except queue.Full:
            log.warning("too many Events are waiting; one was left out")

    def _send_all(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._send(*item)
            except EffectFailed as error:
                log.warning("Event not sent: %s", error)

    def _send(self, database: dict[str, str], announcement: Announcement) -> None:
        message = announcement.message[:MESSAGE_LIMIT]
        text = f"{database['uid']} {announcement.reason} {message}"
        name = f"{database['name']}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        namespace = database["namespace"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
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
