"""How processes are told to end."""

import os
import select
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading
from statefuldb.adapters.machine import end_on_signals
from statefuldb.keeper.signals import on_end
stopping = threading.Event()
{begin}
with stopping._cond:  # as at the beginning of wait()
    os.kill(os.getpid(), signal.SIGTERM)
print("ended" if stopping.wait(10.0) else "not told")
"""


@pytest.mark.parametrize("begin", ["end_on_signals(stopping)", "on_end(stopping.set)"], ids=["operator", "keeper"])
def test_who_is_told_to_end_just_as_it_begins_to_wait_ends(begin: str) -> None:
    program = PROGRAM.format(begin=begin)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30.0, check=True)
    assert done.stdout == "ended\n", done.stderr


CHILD = """
import threading
from statefuldb.keeper.signals import on_orphaned
stopping = threading.Event()
on_orphaned(stopping.set)
print("begun", flush=True)
print("ended" if stopping.wait(10.0) else "not told", flush=True)
"""
# In a session of its own, as a command executor starts a task; by a thread that ends before the process does.
PARENT = f"""
import subprocess, sys, threading, time
start = lambda: subprocess.Popen([sys.executable, "-c", {CHILD!r}], start_new_session=True)
thread = threading.Thread(target=start)
thread.start()
thread.join()
time.sleep(60)
"""


def test_a_keeper_ends_once_whoever_started_it_is_gone_and_not_before() -> None:
    """On a real agent without cgroups a task lives on whose executor was killed, and is called failed."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    try:
        assert parent.stdout.readline() == "begun\n"
        said, _, _ = select.select([parent.stdout], [], [], 2.0)
        assert not said, "the thread that started it is gone, the process is not"
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert parent.stdout.readline() == "ended\n"
