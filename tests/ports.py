"""Ports for servers that tests start. It knows nothing of the product: conformance tests use it, too."""

import random
import socket

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port below those that the kernel gives to connections, one of which might take it before the server."""
    while True:
        port = random.SystemRandom().randrange(20_000, 31_000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
