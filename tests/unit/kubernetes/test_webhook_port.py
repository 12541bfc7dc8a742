"""The port of the webhook, which kopf asks for on a thread of its own, again and again."""

import socket

import pytest

from statefuldb.adapters.kubernetes.webhook import Webhook


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_that_another_has_is_told_at_once(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as other:
        taken = Webhook(None, lambda *_: [], None, host=host, port=other.getsockname()[1])  # type: ignore[arg-type]
        with pytest.raises(OSError, match="in use"):
            taken.start()
