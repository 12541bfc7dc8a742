"""Daemons are found again, and started once, however they were started and whoever was interrupted meanwhile."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from statefuldb.local.supervisor import Daemon, Supervisor, wait_for

DAEMON = Daemon(name="one", arguments=("http.server", "--bind", "127.0.0.1", "0"))
# Whoever starts a daemon is killed at the very moment at which the daemon's process is there.
KILLED_STARTER = """
import os, signal, subprocess, sys
from pathlib import Path
from statefuldb.local.supervisor import Daemon, Supervisor

class Deadly(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

subprocess.Popen = Deadly
Supervisor(Path(sys.argv[1])).start(Daemon(name=sys.argv[2], arguments=tuple(sys.argv[3:])))
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    one = Supervisor(tmp_path)
    yield one
    one.stop(DAEMON.name)


def test_a_daemon_whose_starter_was_killed_is_found_and_stopped(supervisor: Supervisor, tmp_path: Path) -> None:
    arguments = [str(tmp_path), DAEMON.name, *DAEMON.arguments]
    done = subprocess.run([sys.executable, "-c", KILLED_STARTER, *arguments], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert wait_for(lambda: supervisor.pid(DAEMON.name) is not None, 30)
    assert not supervisor.start(DAEMON)
    pid = supervisor.pid(DAEMON.name)
    assert pid is not None
    # Between its fork and its exec a process shows no command line.
    assert wait_for(lambda: b"http.server" in Path(f"/proc/{pid}/cmdline").read_bytes(), 30)
    supervisor.stop(DAEMON.name)
    assert supervisor.ended(DAEMON.name)


def test_two_who_start_one_daemon_start_it_once(supervisor: Supervisor, tmp_path: Path) -> None:
    assert supervisor.start(DAEMON)
    assert not Supervisor(tmp_path).start(DAEMON)


def test_who_looks_at_a_daemon_keeps_nobody_from_starting_it(supervisor: Supervisor, tmp_path: Path) -> None:
    assert supervisor.start(DAEMON)
    supervisor.stop(DAEMON.name)
    descriptor = os.open(tmp_path / "run/one.pid", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    looks = subprocess.Popen(["sleep", "0.3"], pass_fds=(descriptor,))
    os.close(descriptor)
    assert supervisor.start(DAEMON)
    looks.wait()


def test_a_daemon_that_ends_at_once_has_ended_and_its_last_words_are_kept(supervisor: Supervisor) -> None:
    supervisor.start(Daemon(name="one", arguments=("no.such.module",)))
    assert wait_for(lambda: supervisor.ended("one"), 30)
    assert "no.such" in supervisor.last_words("one")
