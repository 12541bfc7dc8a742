"""What the command line asks an API server for: one object is never another one, nor all of them."""

from typing import Any

import pytest

from statefuldb.adapters.kubernetes import cli_client
from statefuldb.adapters.kubernetes.cli_client import CallRefused, CliClient
from statefuldb.adapters.kubernetes.connection import client_over

KIND = "StatefulDatabase"
PLACE = "/apis/statefuldb.dev/v1alpha1/namespaces/shop/statefuldatabases"


class Recorded:
    """A client whose requests are written down and answered with an empty object."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, str]] = []
        monkeypatch.setattr(cli_client, "api_client", lambda kubeconfig: client_over(self.exchange))
        self.client = CliClient(None)

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        self.asked.append((method, path))
        return 200, b"{}"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


@pytest.mark.parametrize("name", ["", ".", "..", "../databasevolumes/orders-0", "orders/status", "%2e%2e"])
def test_what_is_no_name_is_not_asked_for(recorded: Recorded, name: str) -> None:
    client = recorded.client
    assert client.get(KIND, "shop", name) is None
    assert client.secret("shop", name) is None
    for refused in (
        lambda: client.delete(KIND, "shop", name),
        lambda: client.merge(KIND, "shop", name, {}),
        lambda: client.replace({"kind": KIND, "metadata": {"name": name, "namespace": "shop"}}),
    ):
        with pytest.raises(CallRefused, match="of the name"):
            refused()
    assert recorded.asked == []


def test_a_namespace_leads_nowhere_else(recorded: Recorded) -> None:
    with pytest.raises(CallRefused, match=r"no namespace of the name '\.\./shop'"):
        recorded.client.list(KIND, "../shop")
    assert recorded.client.get(KIND, "shop/x", "orders") is None
    assert recorded.asked == []


@pytest.mark.parametrize(
    ("name", "path"),
    [("orders", "orders"), ("a?b=c#d", "a%3Fb%3Dc%23d"), ("two\nlines", "two%0Alines"), ("é", "%C3%A9")],
)
def test_a_name_is_one_part_of_the_path(recorded: Recorded, name: str, path: str) -> None:
    recorded.client.get(KIND, "shop", name)
    assert recorded.asked == [("GET", f"{PLACE}/{path}")]


@pytest.mark.parametrize(
    ("answer", "absent"),
    [
        (b'{"kind": "Status", "reason": "NotFound", "message": "statefuldatabases \\"orders\\" not found"}', True),
        (b"404 page not found\n", False),
        (b'{"kind": "Status", "reason": "NotF', False),
        (b"<html>\xff</html>", False),
        (b"", False),
    ],
)
def test_only_a_status_says_that_an_object_is_not_there(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, answer: bytes, absent: bool
) -> None:
    """`wait --for delete` called a database gone whose kind was not served just then."""
    monkeypatch.setattr(recorded, "exchange", lambda *_: (404, answer))
    client = CliClient(None)
    if absent:
        assert client.get(KIND, "shop", "orders") is None
        return
    with pytest.raises(CallRefused, match="not served") as told:
        client.get(KIND, "shop", "orders")
    assert told.value.status == 404


def test_an_empty_namespace_of_a_manifest_is_none(recorded: Recorded) -> None:
    """Templates leave them: kubectl takes its own namespace, too."""
    for namespace in ("", None):
        recorded.client.dry_run({"kind": KIND, "metadata": {"name": "orders", "namespace": namespace}}, "shop")
    assert {path.partition("?")[0] for _, path in recorded.asked} == {f"{PLACE}/orders"}
