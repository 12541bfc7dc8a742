"""The master's v1 operator API, as far as it is read: agents, tasks and frameworks (Mesos docs, operator-http-api)."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from statefuldb.adapters.mesos.masters import Masters
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.model.identity import LABEL_CLUSTER
from statefuldb.model.settings import FRAMEWORK_NAME
from statefuldb.planning.storage.holding import within
from statefuldb.reconcile.ports import EffectFailed

Json = dict[str, Any]
TIMEOUT_SECONDS = 5.0


class MasterApi:
    """Questions to whichever of `masters` answers them."""

    def __init__(self, *, masters: Masters, transport: Transport) -> None:
        self._masters = masters
        self._transport = transport

    def agents(self) -> list[Json]:
        """Return the agents that are registered. Raises EffectFailed."""
        return list(self._ask("GET_AGENTS").get("agents", []))

    def tasks(self) -> list[Json]:
        """Return the tasks that the master knows. Raises EffectFailed."""
        return list(self._ask("GET_TASKS").get("tasks", []))

    def frameworks(self) -> list[Json]:
        """Return the frameworks that the master knows. Raises EffectFailed."""
        return list(self._ask("GET_FRAMEWORKS").get("frameworks", []))

    def earlier_framework(self, role: str) -> tuple[str, str] | None:
        """Return framework id and cluster UUID of a framework of ours in or below `role`, or None. Raises EffectFailed.

        Completed frameworks do not count: Mesos has ended their tasks already.
        """
        for framework in self.frameworks():
            info = framework["framework_info"]
            roles = info.get("roles") or [info.get("role")]
            if info.get("name") == FRAMEWORK_NAME and any(within(each or "", role) for each in roles):
                labels = {label["key"]: label.get("value", "") for label in info.get("labels", {}).get("labels", [])}
                return info["id"]["value"], labels.get(LABEL_CLUSTER, "")
        return None

    def _ask(self, kind: str) -> Json:
        error = ""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        for master in self._masters.candidates():
            url = self._transport.url(master, "/api/v1")
            request = urllib.request.Request(url, json.dumps({"type": kind}).encode(), headers)
            try:
                return dict(fetch(request, self._transport)[kind.lower()])
            except EffectFailed as failure:
                error = str(failure)
        raise EffectFailed(error or self._masters.error)


def fetch(request: urllib.request.Request, transport: Transport) -> Json:
    """Return the JSON object that a request is answered with. Raises EffectFailed."""
    for name, value in transport.headers.items():
        # Not handed on to whoever a redirect names.
        request.add_unredirected_header(name, value)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=transport.context) as answer:
            return dict(json.load(answer))
    except (OSError, ValueError) as error:
        where = urlsplit(request.full_url)
        raise EffectFailed(f"{where.netloc}{where.path}: {error}") from error
