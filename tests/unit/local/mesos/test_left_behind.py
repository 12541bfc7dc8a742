"""What a task leaves behind is killed before its end is told, and nothing that only has its number by now."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statefuldb.local.mesos.agent.tasks import RunningTask, boot, start_time
from statefuldb.local.mesos.json_files import save_json


@pytest.fixture
def leader() -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that leads a session."""
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def task(folder: Path, **executor: Any) -> RunningTask:
    save_json(folder / "executor.json", executor)
    return RunningTask(folder, {})


def test_a_session_of_another_that_has_the_number_by_now_is_left_alone(
    tmp_path: Path, leader: subprocess.Popen[bytes]
) -> None:
    """After a reboot, `statefuldb up` killed whatever had an executor's number by then: a person's shell, say."""
    started = start_time(leader.pid)
    assert started is not None
    task(tmp_path, pid=leader.pid, started=started - 1, boot=boot()).kill_all()
    task(tmp_path, pid=leader.pid, started=started, boot="another").kill_all()
    assert leader.poll() is None
    task(tmp_path, pid=leader.pid, started=started, boot=boot()).kill_all()
    assert leader.wait(10) < 0


def test_what_outlived_its_executor_is_killed(tmp_path: Path) -> None:
    """It may be a database server that writes."""
    code = "import subprocess; print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid)"
    gone = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, text=True)
    left = int(gone.communicate(timeout=30)[0])
    assert os.getsid(left) == gone.pid
    # A checkpoint of an earlier version does not say which boot it is of.
    task(tmp_path, pid=gone.pid, started=1).kill_all()
    assert start_time(left) is None
