"""How a keeper is told to end."""

import subprocess
import sys

PROGRAM = """
import os, signal, threading
from statefuldb.keeper.signals import on_end
stopping = threading.Event()
on_end(stopping.set)
with stopping._cond:  # as at the beginning of wait()
    os.kill(os.getpid(), signal.SIGTERM)
print("ended" if stopping.wait(10.0) else "not told")
"""


def test_a_keeper_that_is_told_to_end_just_as_it_begins_to_wait_ends() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30.0, check=True)
    assert done.stdout == "ended\n", done.stderr
