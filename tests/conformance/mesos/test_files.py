"""What an agent shows of a task's sandbox, to whoever asks, and what it does not."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from conformance.mesos.client import Answer, Http, Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.masters import Mesos
from conformance.mesos.recording import Recording
from conformance.mesos.things import launch, task

REFUSED: dict[str, Json] = {
    "a link out of it": {"path": "/link", "offset": 0},
    "below a link out of it": {"path": "/links/secret", "offset": 0},
    "what is not there": {"path": "/none", "offset": 0},
    "what is above it": {"path": "/../../none", "offset": 0},
    "a folder": {"path": "/folder", "offset": 0},
    "no number": {"path": "/text", "offset": "x"},
    "no length": {"path": "/text", "offset": 0, "length": "x"},
    "a number too large": {"path": "/text", "offset": 10**30},
    "before the beginning": {"path": "/text", "offset": -5},
    "a negative length": {"path": "/text", "offset": 0, "length": -7},
}


class Sandbox:
    """The sandbox of a task that has ended, through its agent."""

    def __init__(self, mesos: Mesos, agent_id: str, task_id: str) -> None:
        agents = mesos.http.get("GET_AGENTS")["agents"]
        (pid,) = [one["pid"] for one in agents if one["agent_info"]["id"]["value"] == agent_id]
        name, _, address = pid.rpartition("@")
        self._http = Http(address)
        state = self._http.send("GET", f"/{name}/state").body
        executors = [
            executor
            for framework in [*state["frameworks"], *state.get("completed_frameworks", [])]
            for executor in [*framework["executors"], *framework["completed_executors"]]
        ]
        (self.directory,) = [one["directory"] for one in executors if one["id"] == task_id]

    def ask(self, what: str, **query: Any) -> Answer:
        """Read or browse; a path is one within the sandbox."""
        if "path" in query:
            query["path"] = self.directory + query["path"]
        return self._http.send("GET", f"/files/{what}?{urlencode(query)}")

    def clean(self, answer: Answer) -> Json:
        """Return an answer without what differs between machines and times."""
        return {"status": answer.status, "text": answer.text.replace(self.directory, "SANDBOX")}


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that no sandbox holds: one for all masters, as its name is part of what is compared."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("of the machine")
    return folder


@pytest.fixture
def sandbox(mesos: Mesos, subscribe: Subscribe, outside: Path, request: pytest.FixtureRequest) -> Sandbox:
    command = (
        "printf 'twelve bytes' > text; mkdir folder; echo deep > folder/file; ln -s text near; "
        f"ln -s {outside}/secret link; ln -s {outside} links"
    )
    name = f"leaves-{request.node.originalname}"
    one = subscribe()
    offer = one.offer(recorded=False)
    one.accept(offer, launch(task(name, offer["agent_id"], command=command)))
    one.runs_to("TASK_FINISHED", name)
    return Sandbox(mesos, offer["agent_id"]["value"], name)


def test_a_sandbox_is_shown_and_nothing_that_its_links_lead_to(sandbox: Sandbox, recording: Recording) -> None:
    queries: list[Json] = [{"offset": 0}, {"offset": 7, "length": 3}, {"offset": 0, "length": 0}, {"offset": 40}, {}]
    for query in queries:
        recording.seen("text", [query, sandbox.ask("read", path="/text", **query).body])
    assert sandbox.ask("read", path="/near", offset=0).body == {"data": "twelve bytes", "offset": 0}
    assert sandbox.ask("read", path="/folder/file", offset=0).body["data"] == "deep\n"
    for what, query in REFUSED.items():
        answer = sandbox.ask("read", **query)
        assert answer.status in (400, 404), (what, answer.text)
        recording.seen(what, sandbox.clean(answer))
    for kind in ("read", "browse"):
        recording.seen(f"{kind} nothing", sandbox.clean(sandbox.ask(kind)))
    assert "of the machine" not in sandbox.ask("read", path="/link", offset=0).text


def test_a_folder_is_listed_with_what_is_in_it(sandbox: Sandbox, recording: Recording) -> None:
    entries = json.loads(sandbox.ask("browse", path="").text)
    listed = {entry["path"].removeprefix(sandbox.directory): entry for entry in entries}
    assert {"/text", "/folder", "/near", "/stdout"} <= set(listed)
    facts = ("mode", "size", "nlink", "uid", "gid")
    recording.seen("text", [listed["/text"][fact] for fact in facts])
    recording.seen("link within", [listed["/near"][fact] for fact in facts])
    assert listed["/folder"]["mode"].startswith("d")
    recording.seen("file", sandbox.clean(sandbox.ask("browse", path="/text")))
    for path in ("/links", "/none", "/../.."):
        recording.seen(path, sandbox.clean(sandbox.ask("browse", path=path)))
