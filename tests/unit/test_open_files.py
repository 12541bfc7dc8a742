"""How many files an operator may have open, begun as it mostly is: with few."""

import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import resource, socket
from pathlib import Path
from statefuldb.adapters.open_files import make_room

def connections():
    held = []
    try:
        for _ in range(200):
            held.append(socket.socket())
    except OSError:
        pass
    return len(held)

resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
"""


def begun_with_few(program: str, hard: int = 4096) -> str:
    program = BEGIN.format(hard=hard) + program
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60.0, check=True)
    return done.stdout + done.stderr


def test_more_keepers_can_be_followed_than_it_was_begun_with_files_for() -> None:
    assert int(begun_with_few("print(connections())")) < 64
    assert begun_with_few("make_room(); print(connections())").startswith("200\n")


def test_an_operator_makes_room_before_anything_else(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    program = f"""
from statefuldb.app import CannotBegin, run_operator
from statefuldb.settings import OperatorSettings
settings = OperatorSettings(
    kubeconfig=None, mesos=(), namespace="n", principal="p", secret_file=None, mesos_role="r", framework_user="u",
    keeper_command=(), state_dir=Path({str(tmp_path / "state")!r}),
)
try:
    run_operator(settings)
except CannotBegin:
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    assert begun_with_few(program).startswith("4096\n")


@pytest.mark.parametrize(("hard", "says"), [(4096, True), (16384, False)])
def test_where_no_more_than_few_may_be_open_that_is_said(hard: int, says: bool) -> None:
    said = begun_with_few("import logging; logging.basicConfig(); make_room()", hard)
    assert ("4096 files" in said and "LimitNOFILE" in said) is says, said


def test_what_is_more_than_enough_stays() -> None:
    program = """
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
print(make_room(), resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert begun_with_few(program).startswith("(128, 128) (128, 128)\n")
