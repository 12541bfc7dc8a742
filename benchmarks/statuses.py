"""A watch of our own on the databases: what their statuses said, and when."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

DATABASES = "/apis/statefuldb.dev/v1alpha1/statefuldatabases"
Json = dict[str, Any]


class Statuses:
    """The latest status of each database by name, and when (perf_counter) each generation was answered first."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        server = urlsplit(config["clusters"][0]["cluster"]["server"])
        self._token = config["users"][0]["user"]["token"]
        context = ssl.create_default_context(cafile=str(kubeconfig.parent / "server.crt"))
        self._connection = http.client.HTTPSConnection(server.hostname or "", server.port, context=context)
        self._changed = threading.Condition()
        self._answered: dict[str, tuple[int, float]] = {}
        self._ready: set[str] = set()
        self._latest: dict[str, Json] = {}
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        self._connection.request("GET", f"{DATABASES}?watch=true", headers=headers)
        answer = self._connection.getresponse()
        while line := answer.readline():
            now = time.perf_counter()
            stored = json.loads(line)["object"]
            name, status = stored["metadata"]["name"], stored.get("status", {})
            generation = status.get("observedGeneration", 0)
            with self._changed:
                self._latest[name] = status
                if self._answered.get(name, (0, 0.0))[0] < generation:
                    self._answered[name] = (generation, now)
                (self._ready.add if is_ready(status) else self._ready.discard)(name)
                self._changed.notify_all()

    def ready(self, count: int, seconds: float) -> None:
        """Wait until so many databases are Ready."""
        self._wait(lambda: len(self._ready) >= count, seconds, lambda: f"{len(self._ready)} of {count} are Ready")

    def answered(self, name: str, generation: int, seconds: float = 30.0) -> float:
        """Return when (perf_counter) a generation was answered in the status, once it is."""
        self._wait(lambda: self._answered.get(name, (0, 0.0))[0] >= generation, seconds, lambda: f"{name} unanswered")
        return self._answered[name][1]

    def until(self, name: str, wanted: Callable[[Json], bool], seconds: float) -> float:
        """Return the moment (perf_counter) at which a database's status is as wanted."""
        self._wait(lambda: wanted(self._latest.get(name, {})), seconds, lambda: f"{name}: {self._latest.get(name)}")
        return time.perf_counter()

    def everyone(self, wanted: Callable[[Json], bool], count: int, seconds: float) -> None:
        """Wait until so many statuses are as wanted."""
        self._wait(lambda: sum(map(wanted, self._latest.values())) >= count, seconds, lambda: f"not {count} are so")

    def _wait(self, condition: Callable[[], bool], seconds: float, say: Callable[[], str]) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, timeout=seconds):
                raise TimeoutError(say())


def is_ready(status: Json) -> bool:
    """Say whether a status says Ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))
