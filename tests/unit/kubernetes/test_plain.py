"""Objects of kinds that are not ours: the paths they are at, and how they are told."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import kubernetes
import pytest

from statefuldb.adapters.kubernetes import plain
from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.connection import Answer, client_over
from statefuldb.adapters.kubernetes.objects import MERGE_PATCH
from statefuldb.adapters.kubernetes.plain import CORE, NAMESPACES, Json, PlainObjects
from statefuldb.reconcile.ports import EffectFailed, NotAnswered
from unit.kubernetes.test_events import ABSENT

STORED = {"kind": "Secret", "metadata": {"name": "a"}}


class Asked:
    """An API that answers everything alike and notes what it was asked."""

    def __init__(self, status: int = 200, body: object = STORED) -> None:
        self.requests: list[tuple[str, str, object, str]] = []
        self._answer = status, body

    def exchange(self, method: str, path: str, body: object, content_type: str) -> Answer:
        self.requests.append((method, path, body, content_type))
        return self._answer


def test_each_request_is_made_where_the_kind_is() -> None:
    api = Asked()
    secrets = PlainObjects(client_over(api.exchange), CORE, "secrets")
    assert secrets.get("shop", "a") == STORED
    assert secrets.create("shop", STORED) == STORED
    assert secrets.replace("shop", STORED) == STORED
    assert secrets.patch("shop", "a", {"data": {}}, MERGE_PATCH) == STORED
    secrets.delete("shop", "a")
    PlainObjects(client_over(api.exchange), CORE, NAMESPACES).get("", "shop")
    one, all_of = "/api/v1/namespaces/shop/secrets/a", "/api/v1/namespaces/shop/secrets"
    assert [(method, path) for method, path, _, _ in api.requests] == [
        *(("GET", one), ("POST", all_of), ("PUT", one), ("PATCH", one), ("DELETE", one)),
        ("GET", "/api/v1/namespaces/shop"),
    ]
    assert api.requests[3][2:] == ({"data": {}}, MERGE_PATCH)


@pytest.mark.parametrize(("status", "conflict"), [(409, True), (403, False)])
def test_a_refusal_is_told_as_the_client_tells_it(status: int, conflict: bool) -> None:
    refused: Json = {"kind": "Status", "code": status, "message": "no"}
    secrets = PlainObjects(client_over(Asked(status, refused).exchange), CORE, "secrets")
    with pytest.raises(EffectFailed, match="get a") as told:
        call("get a", lambda: secrets.get("shop", "a"))
    assert told.value.conflict is conflict


CAUSES = [
    {"field": "status.summary", "message": 'Too long: "s3cret"'},
    {"field": "<nil>", "message": "some rules were not checked"},
    *({"field": f"data[{number}]", "message": "Invalid value"} for number in (7, 2, 5, 2)),
]


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"causes": CAUSES}, " (data[2], data[5], data[7])"),
        ({"causes": [*reversed(CAUSES)]}, " (data[2], data[5], data[7])"),
        ({"causes": [{"field": None}, 7]}, ""),
        ({"causes": None}, ""),
        (None, ""),
        ("", ""),
    ],
)
def test_of_what_is_invalid_the_fields_are_named_and_no_value(details: object, said: str) -> None:
    """A definition that is older than the operator refuses what that writes."""
    refused: Json = {"kind": "Status", "code": 422, "message": "no: s3cret", "details": details}
    secrets = PlainObjects(client_over(Asked(422, refused).exchange), CORE, "secrets")
    with pytest.raises(EffectFailed) as told:
        call("get a", lambda: secrets.get("shop", "a"))
    assert str(told.value).startswith("get a: 422 ")
    assert str(told.value).partition(" (")[2] == said.removeprefix(" (")
    assert "s3cret" not in str(told.value)


def test_what_is_not_there_is_none() -> None:
    secrets = PlainObjects(client_over(Asked(*ABSENT).exchange), CORE, "secrets")
    assert find("get a", lambda: secrets.get("shop", "a")) is None


def test_no_model_of_another_kind_is_loaded() -> None:
    code = """
import sys
import kubernetes
from statefuldb.adapters.kubernetes import admission, events, framework, lease, objects, secrets, webhook_certificate
from statefuldb.adapters.machine import RealMachine

client, machine = kubernetes.client.ApiClient(), RealMachine()
objects.Surroundings(client), objects.Objects(client, objects.DATABASES), admission.Admission(client, (), "")
events.Events(client, "", machine), framework.FrameworkRecord(client, "", machine)
secrets.ConnectionSecrets(client, machine)
lease.Leadership(client, namespace="", me="", on_lost=exit, on_restored=exit)
names = {"namespace": "", "secret": "", "configuration": "", "name": ""}
webhook_certificate.WebhookCertificate(client, **names, folder=webhook_certificate.Path(), make=exit, write=exit)
print(sum(name.startswith("kubernetes.client.models.") for name in sys.modules))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 20  # the client itself takes some; the core group brings 250


def test_a_server_that_takes_a_request_and_never_answers_holds_nobody_up_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plain, "REQUEST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        configuration = kubernetes.client.Configuration(host=f"http://127.0.0.1:{server.getsockname()[1]}")
        secrets = PlainObjects(kubernetes.client.ApiClient(configuration), CORE, "secrets")
        asked = ThreadPoolExecutor(1).submit(call, "create a", lambda: secrets.create("shop", STORED))
        with pytest.raises(NotAnswered, match="does not answer"):
            asked.result(timeout=10.0)


def page(content: bytes, content_type: str) -> type[BaseHTTPRequestHandler]:
    """Return what stands before an API server and answers for it."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, *_: object) -> None: ...

    return Page


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"<html>maintenance</html>", "text/html"),
        (b"<html>maintenance</html>", "application/json"),
        (b"", "application/json"),
        (b"[1]", "application/json"),
        (b"\xff", "text/html; charset=utf-8"),
        (b"hello", "text/html; charset=unheard-of"),
        (b"hello", "application/octet-stream"),
    ],
)
def test_an_answer_that_is_not_of_an_api_server_is_none(content: bytes, content_type: str) -> None:
    """A load balancer that shows a page meanwhile: whoever waits for the API waits on."""
    with HTTPServer(("127.0.0.1", 0), page(content, content_type)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        configuration = kubernetes.client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
        secrets = PlainObjects(kubernetes.client.ApiClient(configuration), CORE, "secrets")
        try:
            with pytest.raises(NotAnswered, match="get a: "):
                find("get a", lambda: secrets.get("shop", "a"))
        finally:
            server.shutdown()
