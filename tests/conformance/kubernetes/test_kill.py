"""A server that is killed amid writes: what it acknowledged is there afterwards. For a server of our own only."""

import random
import threading
import urllib.error
from typing import Any

import pytest

from conformance.kubernetes.server import Api, Embedded, eventually
from conformance.kubernetes.things import DEFINITIONS, GROUP, definition, names, thing

SPACE = f"{GROUP}/namespaces/default/things"


class Writer(threading.Thread):
    """Writes without pause until the server is gone; remembers each answer."""

    def __init__(self, api: Api, number: int) -> None:
        super().__init__(daemon=True)
        self._api = api
        self._number = number
        self.acknowledged: dict[str, Any] = {}
        self.deleted: set[str] = set()
        self.pending = ""

    def run(self) -> None:
        count = 0
        try:
            while True:
                name = f"w{self._number}-{count}"
                self._send("POST", name, SPACE, thing(name))
                self._send("PATCH", name, f"{SPACE}/{name}", {"spec": {"replicas": count % 100}})
                if count % 3 == 0:
                    self._send("DELETE", name, f"{SPACE}/{name}", None)
                count += 1
        except (OSError, urllib.error.URLError, ValueError):
            return

    def _send(self, method: str, name: str, path: str, body: Any) -> None:
        self.pending = name
        content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        status, answer = self._api.call(method, path, body, content_type)
        assert status in (200, 201), answer
        if method == "DELETE":
            self.deleted.add(name)
            del self.acknowledged[name]
        else:
            self.acknowledged[name] = answer
        self.pending = ""


@pytest.mark.parametrize("seed", range(3))
def test_every_acknowledged_write_survives_a_kill(own: Embedded, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201
    choose = random.Random(seed)
    api = own.api
    api.made(DEFINITIONS, definition())
    writers = [Writer(api, number) for number in range(3)]
    for writer in writers:
        writer.start()
    wanted = choose.randint(20, 120)
    eventually(lambda: sum(len(writer.acknowledged) for writer in writers) > wanted)
    own.kill()
    for writer in writers:
        writer.join(30)
        assert not writer.is_alive()
    own.start()
    listed = own.api.call("GET", SPACE)[1]
    stored = {item["metadata"]["name"]: item for item in listed["items"]}
    for writer in writers:
        for name, answer in writer.acknowledged.items():
            if name != writer.pending:
                assert stored[name] == answer
        assert not (writer.deleted & set(stored)), "what was deleted stays deleted"
    unknown = set(stored) - {name for writer in writers for name in writer.acknowledged}
    assert unknown <= {writer.pending for writer in writers}, "nothing is there that nobody wrote"
    highest = max(int(item["metadata"]["resourceVersion"]) for item in stored.values())
    assert int(own.api.made(SPACE, thing("later"))["metadata"]["resourceVersion"]) > highest


def test_who_watched_before_a_restart_must_list_again(own: Embedded) -> None:
    own.api.made(DEFINITIONS, definition())
    version = own.api.made(SPACE, thing("one"))["metadata"]["resourceVersion"]
    own.api.made(SPACE, thing("two"))
    own.kill()
    own.start()
    (event,) = own.api.events(f"{SPACE}?watch=true&resourceVersion={version}&timeoutSeconds=5")
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    assert names(own.api.call("GET", SPACE)[1]) == ["one", "two"]


def test_a_deletion_goes_on_after_a_restart(own: Embedded) -> None:
    api = own.api
    api.made(DEFINITIONS, definition())
    held = {**thing("waits"), "metadata": {"name": "waits", "finalizers": ["a.dev/x"]}}
    api.made("/api/v1/namespaces", {"metadata": {"name": "dying"}})
    path = f"{GROUP}/namespaces/dying/things"
    api.made(path, held)
    api.call("DELETE", "/api/v1/namespaces/dying")
    own.kill()
    own.start()
    assert own.api.call("GET", "/api/v1/namespaces/dying")[1]["status"]["phase"] == "Terminating"
    own.api.patched(f"{path}/waits", {"metadata": {"finalizers": None}})
    assert own.api.call("GET", "/api/v1/namespaces/dying")[0] == 404
