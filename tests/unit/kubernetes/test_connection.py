"""A pod's connection to its cluster: token and authority are those of the moment, for the client and for kopf."""

import json
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import urllib3

from serving import serving
from statefuldb.adapters.kubernetes import connection
from statefuldb.adapters.kubernetes.cli_client import CallRefused, CliClient
from statefuldb.adapters.kubernetes.connection import NoCluster, api_client, context_namespace
from statefuldb.adapters.kubernetes.watching import kopf_connection
from statefuldb.cli.session import Session
from statefuldb.local.api_server.serving.tls import ensure_certificate


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a pod's folder of its ServiceAccount."""
    folder = tmp_path / "account"
    folder.mkdir()
    for name, content in (("token", "first"), ("ca.crt", "none yet"), ("namespace", "shop")):
        (folder / name).write_text(content)
    monkeypatch.setattr(connection, "SERVICE_ACCOUNT", folder)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return folder


class _Answering(BaseHTTPRequestHandler):
    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(self.headers.get("Authorization", ""))
        body = json.dumps({"gitVersion": "v1.32.0"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class ApiServer(ThreadingHTTPServer):
    """Answers about its version over TLS; its certificate can be replaced. `heard` are the authorizations sent."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[str] = []
        super().__init__(("127.0.0.1", 0), type("Handler", (_Answering,), {"heard": self.heard}))
        self._folder = folder
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.socket = self._context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def certify(self, name: str) -> bytes:
        """Take another certificate, of an authority of its own; return that."""
        folder = self._folder / name
        folder.mkdir()
        certificate, key = ensure_certificate(folder, "127.0.0.1")
        self._context.load_cert_chain(certificate, key)
        return certificate.read_bytes()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with serving(ApiServer(tmp_path)) as one:
        yield one


def test_a_token_that_is_replaced_is_sent_from_then_on(account: Path) -> None:
    configuration = api_client(None).configuration
    kopf = kopf_connection(api_client(None))
    assert configuration.get_api_key_with_prefix("BearerToken") == "Bearer first"
    assert kopf.token == "first", "kopf puts the scheme before it by itself"
    (account / "token").write_text("second\n")
    assert configuration.get_api_key_with_prefix("BearerToken") == "Bearer second"
    (account / "token").unlink()
    assert configuration.get_api_key_with_prefix("BearerToken") == "Bearer second", "it is being replaced"


def test_an_authority_that_is_replaced_is_trusted_from_the_next_connection_on(
    account: Path, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.server_port))
    (account / "ca.crt").write_bytes(server.certify("old"))
    client = CliClient(None)
    assert client.version() == "v1.32.0"
    assert server.heard == ["Bearer first"]
    authority = server.certify("new")
    with pytest.raises(CallRefused):
        client.version()
    (account / "ca.crt").write_bytes(authority)
    (account / "token").write_text("second")
    assert client.version() == "v1.32.0"
    assert server.heard == ["Bearer first", "Bearer second"]


def test_outside_of_a_pod_there_is_no_cluster_to_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(NoCluster, match="in-cluster"):
        api_client(None)


def test_a_kubeconfig_goes_before_the_pod(account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    session: Callable[[str], Session] = lambda named: Session(  # noqa: E731
        kubeconfig=named, namespace="", state_dir=str(tmp_path / "state")
    )
    assert session("").access is None
    assert session("").namespace == context_namespace(None) == "shop"
    assert session("/named").access == Path("/named"), "what is named is meant, be it there or not"
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text("{}")
    assert session("").access == tmp_path / ".kube" / "config"
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    (tmp_path / ".kube" / "config").unlink()
    assert session("").access == tmp_path / ".kube" / "config", "it is named in the error"


PROXY, OWN_PROXY = "http://proxy.example:3128", "http://jump.example:1080"


@pytest.mark.parametrize(
    ("server", "named", "excepted", "asked"),
    [
        ("https://127.0.0.1:6443", None, "", None),
        ("https://localhost:6443", None, "", None),
        ("https://[::1]:6443", None, "", None),
        ("https://api.example:6443", None, "", PROXY),
        ("https://api.example:6443", None, "internal,api.example", None),
        ("https://api.example:6443", OWN_PROXY, "", OWN_PROXY),
        ("https://127.0.0.1:6443", OWN_PROXY, "", OWN_PROXY),
    ],
)
def test_a_proxy_is_asked_for_what_it_can_reach_by_the_client_and_by_kopf(
    server: str, named: str | None, excepted: str, asked: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded cluster was looked for by the proxy of whoever has one, and kopf asked none that there is."""
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setenv("no_proxy", excepted)
    cluster = {"server": server, **({"proxy-url": named} if named else {})}
    context = {"cluster": "one", "user": "me"}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [{"name": "one", "cluster": cluster}],
        "contexts": [{"name": "one", "context": context}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    client = api_client(path)
    assert client.configuration.proxy == asked
    assert kopf_connection(client).proxy_url == asked
    assert isinstance(client.rest_client.pool_manager, urllib3.ProxyManager) is (asked is not None)
