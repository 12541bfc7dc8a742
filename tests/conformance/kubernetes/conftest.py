"""One API server for the suite: that of STATEFULDB_TEST_KUBECONFIG, else an embedded one. Plain HTTP, no operator."""

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

Json = dict[str, Any]
GROUP = "/apis/conformance.statefuldb.dev/v1"


class Api:
    """A server, by its kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = cluster["server"]
        self.headers = {"Accept": "application/json"}
        if "token" in user:
            self.headers["Authorization"] = f"Bearer {user['token']}"
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.context = ssl.create_default_context(cadata=authority)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile("wb", suffix=".pem") as file:
                file.write(base64.b64decode(user["client-certificate-data"]))
                file.write(base64.b64decode(user["client-key-data"]))
                file.flush()
                self.context.load_cert_chain(file.name)

    def open(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        sent = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, **({"Content-Type": content_type} if sent else {})}
        request = urllib.request.Request(self.url + path, sent, headers, method=method)
        return urllib.request.urlopen(request, timeout=20, context=self.context)

    def call(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> tuple[int, Json]:
        try:
            with self.open(method, path, body, content_type) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else {"text": text.decode()}


class Embedded:
    """An embedded server that can be killed."""

    def __init__(self, state_dir: Path, port: int) -> None:
        self.state_dir = state_dir
        self.port = port
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "statefuldb.local.api_server"),
                *("--state-dir", str(self.state_dir), "--port", str(self.port)),
            ]
        )
        deadline = time.monotonic() + 20
        context = ssl._create_unverified_context()
        while True:
            try:
                with urllib.request.urlopen(f"https://127.0.0.1:{self.port}/readyz", timeout=2, context=context):
                    return
            except OSError:
                assert self.process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def api(self) -> Api:
        return Api(self.state_dir / "kubeconfig")


def definition() -> Json:
    """A kind with everything that the suite looks at."""
    text = {"type": "string", "maxLength": 64}
    spec: Json = {
        "type": "object",
        "required": ["engine"],
        "properties": {
            "engine": {**text, "enum": ["a", "b"], "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
            "replicas": {"type": "integer", "minimum": 0, "maximum": 9, "default": 1},
            "size": text,
            "tags": {"type": "object", "additionalProperties": text},
        },
        "x-kubernetes-validations": [{"rule": "self.replicas < 8 || self.engine == 'a'", "message": "too many of b"}],
    }
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "required": ["spec"], "properties": {"spec": spec, "status": status}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.conformance.statefuldb.dev"},
        "spec": {
            "group": "conformance.statefuldb.dev",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {
                        "status": {},
                        "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
                    },
                    "additionalPrinterColumns": [{"name": "Engine", "type": "string", "jsonPath": ".spec.engine"}],
                }
            ],
        },
    }


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded | None]:
    if os.environ.get("STATEFULDB_TEST_KUBECONFIG"):
        yield None
        return
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = Embedded(tmp_path_factory.mktemp("api"), port)
    yield server
    server.process.terminate()
    assert server.process.wait(10) == 0


@pytest.fixture(scope="session")
def api(embedded: Embedded | None) -> Iterator[Api]:
    one = embedded.api if embedded is not None else Api(Path(os.environ["STATEFULDB_TEST_KUBECONFIG"]))
    status, _ = one.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
    assert status in (201, 409)
    deadline = time.monotonic() + 20
    while one.call("GET", f"{GROUP}/things")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield one
    one.call("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.conformance.statefuldb.dev")


@pytest.fixture
def space(api: Api, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace for one test; return the path of its things."""
    name = "c-" + str(abs(hash(request.node.nodeid)) % 10**9)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert api.call("POST", "/api/v1/namespaces", body)[0] == 201
    yield f"{GROUP}/namespaces/{name}/things"
    api.call("DELETE", f"/api/v1/namespaces/{name}")


def thing(name: str, **spec: Any) -> Json:
    return {
        "apiVersion": "conformance.statefuldb.dev/v1",
        "kind": "Thing",
        "metadata": {"name": name},
        "spec": {"engine": "a", **spec},
    }
