"""A Kubernetes adapter over an API and a watch that a test speaks for."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.objects import DATABASES
from statefuldb.adapters.kubernetes.watching import OnEvent
from statefuldb.model.identity import DatabaseKey
from unit.kubernetes.test_events import Clockwork
from unit.mesos.adapter import Standing
from unit.planning.world import KEY

Json = dict[str, Any]


class Watch:
    """Tells what the test tells."""

    def __init__(self, on_event: OnEvent) -> None:
        self.tell = on_event

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Relisting(Clockwork):
    """A machine on which the next list is taken when the test says so."""

    def after(self, seconds: float, call: Callable[[], object]) -> Callable[[], None]:
        self.relist = call
        return lambda: None


class Passing(Clockwork, Standing):
    """A machine whose time passes as the test says, and whose lanes run at once."""

    def __init__(self) -> None:
        Clockwork.__init__(self)
        Standing.__init__(self)


def life(uid: str, version: int) -> Json:
    metadata = {"namespace": KEY.namespace, "name": KEY.name, "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StatefulDatabase", "metadata": metadata, "spec": {}}


class Shelf:
    """An API that lists databases in pages, and holds our definitions beside them."""

    def __init__(self, count: int) -> None:
        self.versions = {f"orders-{number:04}": number + 1 for number in range(count)}
        self.pages = 0
        self.definitions: Json = {}

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        assert method == "GET"
        parts = urlsplit(path)
        query = dict(parse_qsl(parts.query))
        if "/customresourcedefinitions/" in parts.path:
            name = parts.path.rpartition("/")[2]
            return 200, {"metadata": {"name": name, "resourceVersion": "1", **self.definitions}}
        names = sorted(self.versions) if parts.path.endswith(f"/{DATABASES}") else []
        rest = [name for name in names if name > query.get("continue", "")]
        page = rest[: int(query["limit"])]
        self.pages += bool(page)
        more = {"continue": page[-1]} if len(page) < len(rest) else {}
        metadata = {"resourceVersion": str(max(self.versions.values())), **more}
        items = [{"metadata": {"namespace": "shop", "name": n, "resourceVersion": str(self.versions[n])}} for n in page]
        return 200, {"metadata": metadata, "items": items}


def watching(
    exchange: Callable[[str, str, Any, str], tuple[int, Any]],
    enqueue: Callable[[DatabaseKey], None] = lambda _: None,
    on_restored: Callable[[], None] = lambda: None,
    machine: Clockwork | None = None,
    on_surroundings: Callable[[str | None], None] = lambda _: None,
    namespaces: tuple[str, ...] = (),
) -> tuple[KubernetesAdapter, OnEvent]:
    """Return an adapter over `exchange`, and what tells it of changes."""
    watches: list[Watch] = []

    def make_watch(on_event: OnEvent) -> Watch:
        watches.append(Watch(on_event))
        return watches[0]

    adapter = KubernetesAdapter(
        client_over(exchange),
        make_watch=make_watch,
        enqueue=enqueue,
        on_surroundings=on_surroundings,
        on_restored=on_restored,
        instance="operator-1",
        machine=machine or Clockwork(),  # type: ignore[arg-type]
        namespaces=namespaces,
    )
    return adapter, watches[0].tell
