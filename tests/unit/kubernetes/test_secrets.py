"""Connection Secrets: what was made here goes with its data, what somebody else made stays."""

from typing import Any

import pytest

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.secrets import MANAGED_LABEL, ConnectionSecrets
from unit.kubernetes.test_events import Clockwork
from unit.planning.world import KEY


@pytest.mark.parametrize(("labels", "deleted"), [({MANAGED_LABEL: "true"}, True), ({}, False), (None, False)])
def test_only_what_was_made_here_is_removed(labels: dict[str, str] | None, deleted: bool) -> None:
    calls: list[str] = []

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        calls.append(method)
        return 200, {"metadata": {"name": "orders-connection", "labels": labels}}

    secrets = ConnectionSecrets(client_over(exchange), Clockwork())  # type: ignore[arg-type]
    secrets.delete(KEY, "orders-connection")
    assert ("DELETE" in calls) is deleted
