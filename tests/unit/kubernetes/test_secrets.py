"""Connection Secrets: what was made here goes with its data, what somebody else made stays; people edit them."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.secrets import ConnectionSecrets, texts_of
from statefuldb.model.actions import EnsureSecret
from statefuldb.model.identity import LABEL_MANAGED
from statefuldb.reconcile.ports import EffectFailed
from unit.kubernetes.test_events import ABSENT, Clockwork
from unit.planning.world import KEY


@pytest.mark.parametrize(("labels", "deleted"), [({LABEL_MANAGED: "true"}, True), ({}, False), (None, False)])
def test_only_what_was_made_here_is_removed(labels: dict[str, str] | None, deleted: bool) -> None:
    calls: list[str] = []

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        calls.append(method)
        return 200, {"metadata": {"name": "orders-connection", "resourceVersion": "1", "labels": labels}}

    secrets = ConnectionSecrets(client_over(exchange), Clockwork())  # type: ignore[arg-type]
    secrets.delete(KEY, "orders-connection")
    assert ("DELETE" in calls) is deleted


NAME = "orders-connection"
WANTED = EnsureSecret(
    name=NAME, key=KEY, username="orders", database="orders", host="10.0.0.1", port=31000, revision="u-1"
)
OURS = {
    "host": b"10.0.0.1",
    "port": b"31000",
    "username": b"orders",
    "database": b"orders",
    "password": b"made-here",
    "uri": b"mysql://orders:made-here@10.0.0.1:31000/orders",
}
NO_TEXT = b"\xff\xfe\xfd"


class Random(Clockwork):
    """A machine whose secrets are foreseen."""

    def fresh_secret(self) -> str:
        return "fresh"


class OneSecret:
    """An API server with one Secret, in which a merge patch of its present version takes effect."""

    def __init__(self, held: dict[str, bytes]) -> None:
        data = {name: base64.b64encode(content).decode() for name, content in held.items()}
        self.stored: dict[str, Any] = {"metadata": {"name": NAME, "uid": "u", "resourceVersion": "1"}, "data": data}
        self.secrets = ConnectionSecrets(client_over(self.exchange), Random())  # type: ignore[arg-type]
        self.meanwhile: Callable[[], None] = lambda: None

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method == "PATCH":
            self.meanwhile()
            metadata = self.stored["metadata"]
            if body["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
                return 409, {}
            self.update(body["data"])
        return 200, self.stored

    def update(self, coded: dict[str, str]) -> None:
        """Have somebody write into it."""
        held = self.stored
        version = str(int(held["metadata"]["resourceVersion"]) + 1)
        metadata, data = {**held["metadata"], "resourceVersion": version}, {**held["data"], **coded}
        self.stored = {"metadata": metadata, "data": data}

    def coherent(self) -> bool:
        self.secrets.forget_views()
        view = self.secrets.view(KEY, NAME)
        assert view is not None
        return view.coherent


def test_a_key_that_is_no_text_is_left_alone() -> None:
    one = OneSecret({**OURS, "keystore.p12": NO_TEXT})
    assert one.coherent()
    assert one.secrets.password(KEY, NAME) == "made-here"
    one.secrets.ensure(WANTED)
    assert one.stored["data"]["keystore.p12"] == base64.b64encode(NO_TEXT).decode()


@pytest.mark.parametrize("chosen", ["newer", "p@ss:word/?#", "new\n"])
def test_a_password_that_somebody_chose_stays_and_the_uri_follows(chosen: str) -> None:
    one = OneSecret({**OURS, "password": chosen.encode()})
    assert not one.coherent()
    one.secrets.ensure(WANTED)
    assert one.coherent()
    made = urlsplit(texts_of(one.stored)["uri"])
    assert (made.hostname, made.port, made.username, unquote(made.password or "")) == (
        "10.0.0.1",
        31000,
        "orders",
        chosen,
    )


@pytest.mark.parametrize(
    ("held", "taken"),
    [
        ({"host": b"db.example", "username": b"shop", "password": b"theirs"}, False),
        ({"uri": b"mysql://shop:theirs@db.example/shop"}, False),
        ({"password": b"chosen"}, True),
        ({"keystore.p12": NO_TEXT}, True),
        ({**OURS, "host": b"10.0.0.2"}, True),
    ],
)
def test_a_secret_that_somebody_else_uses_is_not_written_into(held: dict[str, bytes], taken: bool) -> None:
    one = OneSecret(held)
    before = one.stored
    one.coherent()
    if taken:
        one.secrets.ensure(WANTED)
        assert one.coherent()
    else:
        with pytest.raises(EffectFailed, match="is somebody else's"):
            one.secrets.ensure(WANTED)
        assert one.stored == before


def test_one_that_may_not_be_changed_is_said_to_be_in_the_way() -> None:
    one = OneSecret({"password": b"chosen"})
    one.stored["immutable"] = True
    one.coherent()
    with pytest.raises(EffectFailed, match=r"Secret orders-connection in shop is immutable.*delete it"):
        one.secrets.ensure(WANTED)
    assert one.stored["metadata"]["resourceVersion"] == "1"


@pytest.mark.parametrize("password", [NO_TEXT, b"", None])
def test_a_password_that_is_none_is_replaced(password: bytes | None) -> None:
    held = {name: content for name, content in {**OURS, "password": password}.items() if content is not None}
    one = OneSecret(held)
    assert not one.coherent()
    with pytest.raises(EffectFailed):
        one.secrets.password(KEY, NAME)
    one.secrets.ensure(WANTED)
    assert one.coherent()
    assert one.secrets.password(KEY, NAME) == "fresh"


MOVED = {"host": base64.b64encode(b"10.0.0.2").decode(), "mine": base64.b64encode(b"a key of somebody's").decode()}


@pytest.mark.parametrize("during", [False, True])
def test_an_operator_that_was_left_behind_does_not_put_an_old_address_back(*, during: bool) -> None:
    """It had decided by what it saw before another one wrote where the member had moved."""
    one = OneSecret({**OURS, "port": b"1"})
    assert not one.coherent()
    if during:
        one.meanwhile = lambda: one.update(MOVED) if texts_of(one.stored)["host"] == "10.0.0.1" else None
    else:
        one.update(MOVED)
    with pytest.raises(EffectFailed) as failure:
        one.secrets.ensure(WANTED)
    assert failure.value.conflict, "it is read again, and decided about anew"
    assert texts_of(one.stored)["host"] == "10.0.0.2"
    view = one.secrets.view(KEY, NAME)
    assert view is not None
    assert (view.host, view.revision) == ("10.0.0.2", "u-2")
    one.secrets.ensure(replace(WANTED, host="10.0.0.2", revision=view.revision))
    assert one.coherent()
    assert texts_of(one.stored)["mine"] == "a key of somebody's"


def test_a_secret_that_was_there_and_is_gone_is_not_made_before_that_is_seen() -> None:
    created: list[Any] = []

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if method == "POST":
            created.append(body)
            return 201, {"metadata": {"name": NAME, "uid": "v", "resourceVersion": "9"}, "data": {}}
        return ABSENT

    secrets = ConnectionSecrets(client_over(exchange), Random())  # type: ignore[arg-type]
    with pytest.raises(EffectFailed) as failure:
        secrets.ensure(WANTED)
    assert failure.value.conflict
    assert secrets.view(KEY, NAME) is None
    assert not created
    secrets.ensure(replace(WANTED, revision=""))
    assert created
