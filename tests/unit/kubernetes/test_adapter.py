"""The Kubernetes port between two lives of one name."""

from typing import Any

import pytest

from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.objects import DATABASES
from statefuldb.adapters.kubernetes.watching import OnEvent
from statefuldb.reconcile.ports import EffectFailed
from unit.kubernetes.test_events import Clockwork
from unit.planning.world import KEY

Json = dict[str, Any]


class Watch:
    """Tells what the test tells."""

    def __init__(self, on_event: OnEvent) -> None:
        self.tell = on_event

    def start(self) -> None: ...

    def stop(self) -> None: ...


def life(uid: str, version: int) -> Json:
    metadata = {"namespace": KEY.namespace, "name": KEY.name, "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StatefulDatabase", "metadata": metadata, "spec": {}}


def test_a_status_is_not_written_into_the_next_life_of_its_name() -> None:
    written: list[Json] = []

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        written.append(body)
        return 200, body

    watches: list[Watch] = []

    def make_watch(on_event: OnEvent) -> Watch:
        watches.append(Watch(on_event))
        return watches[0]

    adapter = KubernetesAdapter(
        client_over(exchange),
        make_watch=make_watch,
        enqueue=lambda _: None,
        on_surroundings=lambda _: None,
        instance="operator-1",
        machine=Clockwork(),  # type: ignore[arg-type]
    )
    told = watches[0].tell
    told(DATABASES, "ADDED", life("first", 1))
    adapter.write_status(KEY, "first", {"summary": "decided about the first"})
    assert len(written) == 1
    told(DATABASES, "ADDED", life("second", 9))
    with pytest.raises(EffectFailed) as failure:
        adapter.write_status(KEY, "first", {"summary": "decided about the first"})
    assert failure.value.conflict
    assert len(written) == 1
