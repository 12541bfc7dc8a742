"""A webhook of the suite's own, which hears reviews and answers as it is told to."""

import base64
import ipaddress
import json
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance.kubernetes.server import MERGE, Api, eventually
from conformance.kubernetes.things import GROUP_NAME

Json = dict[str, Any]
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
HOST = os.environ.get("STATEFULDB_TEST_WEBHOOK_HOST", "127.0.0.1")
NAME = "judge.conformance.statefuldb.dev"
EVERY_WRITE = {"operations": ["*"], "apiGroups": [GROUP_NAME], "apiVersions": ["*"], "resources": ["things"]}


class Hook(ThreadingHTTPServer):
    """`heard` are the requests of reviews; `judge` answers each, and allows it where it is not set."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__((HOST, 0), _Handler)
        self.heard: list[Json] = []
        self.judge: Callable[[Json], Json] = lambda request: {"allowed": True}
        self.authority = _certify(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have gone: some tests answer too late on purpose."""

    @property
    def client(self) -> Json:
        """How an API server is to reach it."""
        return {"url": f"https://{HOST}:{self.server_port}/judge", "caBundle": self.authority}


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        self.server.heard.append({**request, "path": self.path})
        answer = {"uid": request["uid"], **self.server.judge(request)}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}
        body = json.dumps(review).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def hooked(api: Api, hook: Hook, namespace: str, probe: Callable[[], Any], **more: Any) -> Iterator[None]:
    """Have a hook asked about the things of a namespace, from when a `probe` has been heard of."""
    body = configuration(namespace, hook.client, **more)
    api.made(CONFIGURATIONS, body)
    try:
        eventually(lambda: probe() and hook.heard)
        hook.heard.clear()
        yield
    finally:
        api.call("DELETE", f"{CONFIGURATIONS}/{body['metadata']['name']}")


def configuration(namespace: str, client: Json, **more: Any) -> Json:
    """Return a configuration of one webhook, for one namespace."""
    hook = {
        "name": NAME,
        "clientConfig": client,
        "rules": [EVERY_WRITE],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 30,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        **more,
    }
    return {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": namespace}, "webhooks": [hook]}


def denied(message: str, code: int = 403, **more: Any) -> Callable[[Json], Json]:
    """Return a judge that says no."""
    return lambda request: {"allowed": False, "status": {"message": message, "code": code}, **more}


def labelled(api: Api, path: str, labels: Json, **headers: str) -> int:
    """Set labels of an object; return the status of the answer."""
    return api.send("PATCH", path, {"metadata": {"labels": labels}}, Content_Type=MERGE, **headers).status


def _certify(folder: Path) -> str:
    """Write a key and a certificate; return the authority as a configuration has it."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook of the conformance suite")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.key").write_bytes(key.private_bytes(*plain))
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "tls.crt").write_bytes(pem)
    return base64.b64encode(pem).decode()


def asked(hook: Hook) -> list[tuple[str, str, str]]:
    return [(request["operation"], request.get("name", ""), request.get("subResource", "")) for request in hook.heard]
