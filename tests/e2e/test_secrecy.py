"""No credential can be read by anybody who was not given it (law `secrets_stay_secret`).

Every credential that is generated is looked for wherever a stranger on the machine or the network can look.
"""

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from e2e.conftest import Cluster, Json, manifest

OPERATOR_CALLS = ("GET_HEALTH", "GET_VERSION", "GET_MASTER", "GET_AGENTS", "GET_FRAMEWORKS", "GET_TASKS", "GET_STATE")
OPEN_KINDS = ("StatefulDatabase", "DatabaseVolume", "ConfigMap", "Event", "Namespace", "CustomResourceDefinition")


@pytest.fixture(scope="module")
def discreet(cluster: Cluster) -> Cluster:
    for name, strategy in (("discreet", "PersistentVolume"), ("private", "PersistentVolume")):
        cluster.apply(manifest(name, {"strategy": strategy, "size": "1Gi"}))
        cluster.ready(name)
    return cluster


@pytest.fixture(scope="module")
def credentials(discreet: Cluster) -> dict[str, bytes]:
    """Return every credential that was generated, by what it is for."""
    found = {}
    for name in ("discreet", "private"):
        secret = discreet.client.secret("default", f"{name}-connection")
        assert secret is not None
        found[f"password of {name}"] = secret["password"].encode()
    config = yaml.safe_load(discreet.parts.kubeconfig.read_text())
    found["token of the API"] = config["users"][0]["user"]["token"].encode()
    found["key of the API server"] = key_of(discreet.state_dir / "api" / "server.key")
    found["key of the operator"] = key_of(discreet.state_dir / "operator" / "identity.pem")
    return found


def key_of(path: Path) -> bytes:
    """Return a line from the middle of a private key."""
    text = path.read_text()
    return text[text.index("PRIVATE KEY") :].splitlines()[1].encode()


def forms(credential: bytes) -> tuple[bytes, ...]:
    """Return the ways in which a credential may be written."""
    return (credential, base64.b64encode(credential), quote(credential, safe="").encode())


def assert_silent(where: str, content: bytes, credentials: dict[str, bytes]) -> None:
    for what, credential in credentials.items():
        assert not any(form in content for form in forms(credential)), f"{what} is shown by {where}"


def test_no_process_shows_one(credentials: dict[str, bytes]) -> None:
    looked = 0
    for entry in Path("/proc").iterdir():
        for file in ("cmdline", "environ"):
            try:
                content = (entry / file).read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            assert_silent(f"{entry}/{file}", content, credentials)
            looked += bool(content)
    assert looked > 10


def test_no_file_shows_one_but_those_of_their_owner(discreet: Cluster, credentials: dict[str, bytes]) -> None:
    kept = {discreet.state_dir / "api", discreet.state_dir / "operator"}
    looked = 0
    for path in discreet.state_dir.rglob("*"):
        if not path.is_file():
            continue
        if kept & set(path.parents) and path.stat().st_mode & 0o077 == 0:
            continue
        assert_silent(str(path), path.read_bytes(), credentials)
        looked += 1
    assert looked > 50


def test_no_endpoint_of_mesos_shows_one(discreet: Cluster, credentials: dict[str, bytes]) -> None:
    answers = list(read_mesos(discreet))
    assert any(url.endswith("stderr") for url, _ in answers), "no sandbox was read"
    assert any("GET_TASKS" in url and b"discreet" in body for url, body in answers), "no task was read"
    for url, body in answers:
        assert_silent(url, body, credentials)


def test_the_api_answers_no_stranger(discreet: Cluster) -> None:
    server = yaml.safe_load(discreet.parts.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for path in ("/api/v1/secrets", "/api/v1/namespaces/default/secrets/discreet-connection", "/api", "/apis"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server + path, context=context, timeout=5)
        assert refused.value.code in (http.client.UNAUTHORIZED, http.client.FORBIDDEN)


def test_the_keeper_answers_no_stranger(discreet: Cluster) -> None:
    (volume,) = discreet.volumes("discreet")
    launch = volume["spec"]["launch"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        launch["agent"]["address"], launch["keeperPort"], context=context, timeout=5
    )
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        ask(connection)


def ask(connection: http.client.HTTPSConnection) -> None:
    connection.request("GET", "/v1/status")
    connection.getresponse()


def test_no_object_but_a_secret_shows_one(discreet: Cluster, credentials: dict[str, bytes]) -> None:
    for kind in OPEN_KINDS:
        listed = discreet.client.list(kind)
        assert listed, kind
        assert_silent(kind, json.dumps(listed).encode(), credentials)
    for command in (("events",), ("describe", "discreet"), ("explain", "discreet"), ("journal",), ("volumes", "list")):
        assert_silent(" ".join(command), discreet.cli(*command).encode(), credentials)


def read_mesos(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    """Yield what every endpoint of the master and of each agent says, every sandbox file included."""
    for path in ("/version", "/health", "/metrics/snapshot", "/state", "/tasks", "/frameworks", "/slaves"):
        yield from read(f"http://{cluster.parts.mesos}{path}")
    for kind in OPERATOR_CALLS:
        body = json.dumps({"type": kind}).encode()
        yield from read(f"http://{cluster.parts.mesos}/api/v1", body, kind)
    for agent in cluster.parts.agents():
        base = f"http://{agent.host}:{agent.port}"
        for path in ("/health", "/metrics/snapshot"):
            yield from read(base + path)
        for url, body in read(base + "/slave(1)/state"):
            yield url, body
            for directory in directories(json.loads(body)):
                yield from read_folder(base, directory)


def directories(state: Json) -> Iterator[str]:
    for framework in [*state.get("frameworks", []), *state.get("completed_frameworks", [])]:
        for executor in [*framework.get("executors", []), *framework.get("completed_executors", [])]:
            yield executor["directory"]


def read_folder(base: str, folder: str) -> Iterator[tuple[str, bytes]]:
    for url, body in read(f"{base}/files/browse?path={quote(folder)}"):
        yield url, body
        # Where a volume is linked, the agent says that it is inaccessible.
        for entry in json.loads(body) if body.startswith(b"[") else ():
            if entry["mode"].startswith("d"):
                yield from read_folder(base, entry["path"])
            else:
                yield from read(f"{base}/files/read?path={quote(entry['path'])}&offset=0&length=100000")
                yield from read(f"{base}/files/download?path={quote(entry['path'])}")
                yield entry["path"], b""


def read(url: str, body: bytes | None = None, kind: str = "") -> Iterator[tuple[str, bytes]]:
    """Yield what a URL answers; nothing where it answers with an error."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", "Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            yield f"{url} {kind}".strip(), answer.read()
    except urllib.error.HTTPError as refused:
        yield f"{url} {kind}".strip(), refused.read() if refused.code != http.client.NOT_FOUND else b""
