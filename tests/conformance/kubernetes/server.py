"""The server under test, as any client sees it: plain HTTP by a kubeconfig; and the embedded one as a process."""

import base64
import json
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
JSON = "application/json"
MERGE = "application/merge-patch+json"
PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
STRATEGIC = "application/strategic-merge-patch+json"
ATTEMPTS = 10


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Any
    text: str

    @property
    def body(self) -> Json:
        parsed: Json = json.loads(self.text)
        return parsed

    @property
    def warnings(self) -> list[str]:
        return list(self.headers.get_all("Warning") or [])


def _text(body: bytes) -> str:
    """Return a body; one in protobuf, which nobody here reads, with marks for what is no text."""
    return body.decode(errors="replace")


class Api:
    """A server, by its kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = cluster["server"]
        self.credentials = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.anonymous = ssl.create_default_context(cadata=authority)
        self.context = ssl.create_default_context(cadata=authority)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile("wb", suffix=".pem") as file:
                file.write(base64.b64decode(user["client-certificate-data"]))
                file.write(base64.b64decode(user["client-key-data"]))
                file.flush()
                self.context.load_cert_chain(file.name)

    def open(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent_headers = {"Accept": JSON, "User-Agent": "conformance/1", **self.credentials, **(headers or {})}
        if sent is not None:
            sent_headers.setdefault("Content-Type", JSON)
        request = urllib.request.Request(self.url + path.replace(" ", "%20"), sent, sent_headers, method=method)
        return urllib.request.urlopen(request, timeout=20, context=self.context)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; headers by name, with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for _ in range(ATTEMPTS):
            try:
                with self.open(method, path, body, named) as answer:
                    return Answer(answer.status, answer.headers, _text(answer.read()))
            except urllib.error.HTTPError as error:
                return Answer(error.code, error.headers, _text(error.read()))
            except urllib.error.URLError as error:
                # A server may answer before it has read all of a large body, and close: the answer can be lost then.
                if not isinstance(error.reason, ssl.SSLEOFError | ConnectionResetError | BrokenPipeError):
                    raise
        raise AssertionError(f"{method} {path}: no answer in {ATTEMPTS} attempts")

    def call(self, method: str, path: str, body: Any = None, content_type: str = JSON) -> tuple[int, Json]:
        answer = self.send(method, path, body, Content_Type=content_type)
        return answer.status, answer.body if answer.text.startswith("{") else {"text": answer.text}

    def made(self, path: str, body: Json) -> Json:
        """Create an object that must be accepted."""
        status, stored = self.call("POST", path, body)
        assert status == 201, stored
        return stored

    def patched(self, path: str, body: Any, content_type: str = MERGE) -> Json:
        """Patch an object where the patch must be accepted."""
        status, stored = self.call("PATCH", path, body, content_type)
        assert status in (200, 201), stored
        return stored

    def unknown(self, path: str, headers: dict[str, str]) -> Answer:
        """Ask with other credentials than the kubeconfig's."""
        request = urllib.request.Request(self.url + path, None, {"Accept": JSON, **headers})
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.anonymous) as answer:
                return Answer(answer.status, answer.headers, _text(answer.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, _text(error.read()))

    @contextmanager
    def watch(self, path: str, **headers: str) -> Iterator[Iterator[Json]]:
        """Open a watch; iterate over its events as they come."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.open("GET", path, headers=named) as stream:
            yield (json.loads(line) for line in stream)

    def events(self, path: str) -> list[Json]:
        """Return all events of a watch that ends by itself."""
        with self.watch(path) as events:
            return list(events)


def eventually(check: Callable[[], Any], seconds: float = 20) -> Any:
    """Return what `check` returns once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return found


class Embedded:
    """An embedded server that can be killed."""

    def __init__(self, state_dir: Path, port: int) -> None:
        self.state_dir = state_dir
        self.port = port
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "statefuldb.local.api_server"]
        self.process = subprocess.Popen([*command, "--state-dir", str(self.state_dir), "--port", str(self.port)])
        context = ssl._create_unverified_context()

        def ready() -> bool:
            try:
                with urllib.request.urlopen(f"https://127.0.0.1:{self.port}/readyz", timeout=2, context=context):
                    return True
            except OSError:
                assert self.process.poll() is None
                return False

        eventually(ready)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def api(self) -> Api:
        return Api(self.state_dir / "kubeconfig")
