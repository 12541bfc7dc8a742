"""What an agent fetches for a task (CommandInfo.uris), and what it says where it cannot."""

import http.server
import io
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from conformance.mesos.client import Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.things import launch, task
from serving import serving

Handler = http.server.SimpleHTTPRequestHandler


class Silent(Handler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a script and an archive: one for all masters, as its name is part of what is compared."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "script").write_text("#!/bin/sh\necho fetched\n")
    with tarfile.open(folder / "archive.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("inside/file")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"kept"))
    return folder


@pytest.fixture(scope="session")
def served(files: Path) -> Iterator[str]:
    """Yield the URL of that folder."""
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(files)))) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}"


def fetching(name: str, agent: Json, command: str, *uris: Json) -> Json:
    info = task(name, agent)
    return launch({**info, "command": {"value": command, "shell": True, "uris": list(uris)}})


@pytest.mark.parametrize("of", ["path", "file", "http"])
def test_what_is_named_is_in_the_sandbox(subscribe: Subscribe, files: Path, served: str, of: str) -> None:
    base = {"path": str(files), "file": f"file://{files}", "http": served}[of]
    uris = (
        {"value": f"{base}/script"},
        {"value": f"{base}/script", "executable": True, "output_file": "below/run"},
        {"value": f"{base}/archive.tar.gz"},
        {"value": f"{base}/archive.tar.gz", "extract": False, "output_file": "packed/archive.tar.gz"},
    )
    command = (
        'test -f script && test ! -x script && test "$(below/run)" = fetched && test "$(cat inside/file)" = kept '
        "&& test -f packed/archive.tar.gz && test ! -e packed/inside"
    )
    one = subscribe()
    offer = one.offer(recorded=False)
    one.accept(offer, fetching("fetches", offer["agent_id"], command, *uris))
    one.runs_to("TASK_FINISHED", "fetches")


UNFETCHABLE = {
    "missing": ({"value": "/no/such/file"}, "': exited with status 1"),
    "refused": ({"value": "http://127.0.0.1:1/file"}, "': exited with status 1"),
    "no-path": ({"value": "http://localhost"}, "Could not fetch: Malformed URI (missing path): http://localhost"),
    "bad-characters": ({"value": "/tmp/a'b"}, "Could not fetch: Illegal characters in URI"),
    "outside": (
        {"value": "/etc/hostname", "output_file": "/tmp/hostname"},
        "Could not fetch: URI output file must be within the sandbox directory",
    ),
}


@pytest.mark.parametrize("name", UNFETCHABLE)
def test_a_task_whose_files_cannot_be_had_fails_before_it_starts(subscribe: Subscribe, name: str) -> None:
    uri, text = UNFETCHABLE[name]
    one = subscribe()
    offer = one.offer()
    one.accept(offer, fetching(name, offer["agent_id"], "true", uri))
    status = one.task(name, "TASK_FAILED")
    assert [each["state"] for each in one.task_updates(name)] == ["TASK_FAILED"]
    assert status["reason"] == "REASON_CONTAINER_LAUNCH_FAILED"
    assert status["source"] == "SOURCE_AGENT"
    assert status["message"].startswith("Failed to launch container: ")
    assert status["message"].endswith(text)
    assert ("Failed to fetch all URIs for container '" in status["message"]) is text.startswith("'")
