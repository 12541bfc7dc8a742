"""A copy of its own for each process; those of processes that are gone are cleared away, those of others never."""

import signal
import subprocess
import sys
from pathlib import Path

from statefuldb.sync.copies import own_copy

HOLD = """
import sys
from pathlib import Path
from statefuldb.sync.copies import own_copy
with own_copy(Path(sys.argv[1])) as place:
    place.mkdir()
    print(place, flush=True)
    sys.stdin.read()
"""


def test_copies_of_the_living_stay_and_those_of_the_killed_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with own_copy(tmp_path) as mine:
            assert mine.parent != theirs.parent
            assert theirs.is_dir()
        assert not mine.parent.exists()
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        assert theirs.is_dir()
    with own_copy(tmp_path):
        assert not theirs.exists()
