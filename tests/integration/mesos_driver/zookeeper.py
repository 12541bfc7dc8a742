"""A real ZooKeeper server (Debian's zookeeperd) on a free port, with its state in a directory of its own."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVER = Path("/usr/share/zookeeper/bin/zkServer.sh")


@contextmanager
def zookeeper(directory: Path) -> Iterator[str]:
    if not SERVER.exists():
        pytest.skip("zookeeperd is not installed: tools/ensure-test-servers installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = directory / "zoo.cfg"
    settings.write_text(
        f"tickTime=500\ndataDir={directory}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
        "admin.enableServer=false\n"
    )
    environment = {**os.environ, "ZOO_LOG_DIR": str(directory), "ZOOPIDFILE": str(directory / "pid")}
    with (directory / "server.log").open("wb") as output:
        server = subprocess.Popen(
            [str(SERVER), "start-foreground", str(settings)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert server.poll() is None, (directory / "server.log").read_text()
            assert time.monotonic() < deadline, "ZooKeeper does not listen"
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
