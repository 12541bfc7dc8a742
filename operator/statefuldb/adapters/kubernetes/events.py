"""Kubernetes Events: one for each distinct thing said, a series where it is said again, and never a flood.

They are written in the v1 form with what events.k8s.io adds (`eventTime`, `series`, reporting controller), so that
`kubectl describe`, `kubectl events` and newer readers all count the same.
"""

import hashlib
import threading
from datetime import UTC, datetime
from logging import getLogger
from typing import Any

from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.objects import MERGE_PATCH, Objects
from statefuldb.adapters.kubernetes.plain import CORE, PlainObjects
from statefuldb.adapters.kubernetes.said import Said
from statefuldb.model.plan import Announcement
from statefuldb.model.schema.crd import API_VERSION
from statefuldb.reconcile.machine import Machine
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
COMPONENT = "statefuldb"
ACTION = "Reconcile"
# In bytes: the API server refuses an Event with more than 1024 of them.
MESSAGE_LIMIT = 1000
WAITING_LIMIT = 10_000
COMBINED = "(combined from similar events): "


class Events:
    """Sends Events on a lane of their own: no pass waits for one, none fails for one."""

    def __init__(self, client: Any, instance: str, machine: Machine) -> None:
        self._api = PlainObjects(client, CORE, "events")
        self._instance = instance
        self._said = Said(machine)
        self._machine = machine
        self._lane = machine.lane("events")
        self._room = threading.Semaphore(WAITING_LIMIT)

    def announce(self, database: dict[str, str], announcement: Announcement) -> None:
        """Send an Event about a database, unless the last one about it said the same."""
        uid, text = database["uid"], _text(announcement)
        if self._said.again(uid, text):
            return
        combined = self._said.one_of_many(uid, str(announcement.reason), announcement.message)
        moment = self._machine.now()
        if self._room.acquire(blocking=False):
            self._lane(lambda: self._try(database, announcement, moment, combined=combined))
        else:
            log.warning("too many Events are waiting; one was left out")
            self._said.unsay(uid, text)

    def announce_to_all(self, databases: Objects, announcement: Announcement) -> None:
        """Send an Event about each of `databases`. Where these cannot be listed, nobody could be told either."""
        try:
            listed, _ = databases.list()
        except EffectFailed:
            return
        for stored in listed:
            metadata = stored["metadata"]
            self.announce({name: metadata[name] for name in ("namespace", "name", "uid")}, announcement)

    def _try(self, database: dict[str, str], announcement: Announcement, at_seconds: float, *, combined: bool) -> None:
        self._room.release()
        try:
            self._send(database, announcement, at_seconds, combined=combined)
        except EffectFailed as error:
            log.warning("Event not sent: %s", error)
            # Sent when it is announced again.
            self._said.unsay(database["uid"], _text(announcement))

    def _send(self, database: dict[str, str], announcement: Announcement, at_seconds: float, *, combined: bool) -> None:
        """Create the Event, or count it where it is there: most are new, and others wait behind this one."""
        message = _cut((COMBINED if combined else "") + announcement.message)
        text = f"{database['uid']} {announcement.reason} {COMBINED if combined else message}"
        name = f"{database['name']}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        namespace = database["namespace"]
        moment = datetime.fromtimestamp(at_seconds, UTC)
        now, exactly = moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {"apiVersion": API_VERSION, "kind": "StatefulDatabase", **database},
            "reason": str(announcement.reason),
            "action": ACTION,
            "message": message,
            "type": "Warning" if announcement.warning else "Normal",
            "eventTime": exactly,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
        }
        try:
            call(f"create Event {name}", lambda: self._api.create(namespace, body))
        except EffectFailed as error:
            if not error.conflict:
                raise
            self._count(namespace, name, {"lastTimestamp": now, "message": message}, exactly)

    def _count(self, namespace: str, name: str, again: dict[str, Any], exactly: str) -> None:
        """Note that what an Event says was said again; one that went meanwhile is not made anew."""
        held = find(f"get Event {name}", lambda: self._api.get(namespace, name))
        if held is None:
            return
        count = (held.get("count") or 1) + 1
        series = {"count": count, "lastObservedTime": exactly}
        patch = {**again, "count": count, "series": series}
        call(f"count Event {name}", lambda: self._api.patch(namespace, name, patch, MERGE_PATCH))


def _text(announcement: Announcement) -> str:
    return f"{announcement.reason} {announcement.message}"


def _cut(text: str) -> str:
    """Return what of a text an Event takes. A name on a disk may be no UTF-8, which Python holds as surrogates."""
    return text.encode(errors="replace")[:MESSAGE_LIMIT].decode(errors="ignore")
