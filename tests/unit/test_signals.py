"""How processes are told to end."""

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
