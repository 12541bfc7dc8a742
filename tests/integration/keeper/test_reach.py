"""A server that runs as another user reaches its data below folders that are closed to that user."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs a server as another user")

SCRIPT = """
import os, pwd, sys
from pathlib import Path
from statefuldb.keeper import reach
from statefuldb.keeper.refusal import Refused

how, top = sys.argv[1], Path(sys.argv[2])
user = pwd.getpwnam("nobody")
if how == "chroot":
    os.chroot(top)
    top = Path("/")
    # There are no programs in there, so what `setpriv test` would answer is said here.
    reach._may_enter = lambda user, folder: Path("/closed") not in (folder, *folder.parents)
reach._PLACES = (top / "place",)
try:
    found = reach.reachable(top / "closed/member", user)
except Refused as refusal:
    sys.exit(str(refusal))
before = os.stat("/").st_ino
os.setgroups([])
os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
print((found / "rows").read_text(), os.stat("/").st_ino == before and not Path("/etc/passwd").exists())
"""
# The outer namespace shares its mounts with those that are made of it, as those of systemd do.
SHARING = ("unshare", "--mount", "--propagation", "shared")


@pytest.fixture
def top() -> Iterator[Path]:
    """Yield a folder that everybody may enter, with a member's directory below one that is closed."""
    with tempfile.TemporaryDirectory(prefix="sdb-test-") as name:
        top = Path(name)
        top.chmod(0o755)
        (top / "place").mkdir(mode=0o755)
        (top / "closed/member").mkdir(parents=True)
        (top / "closed").chmod(0o700)
        (top / "closed/member/rows").write_text("rows")
        yield top


def reached(top: Path, how: str, *before: str) -> subprocess.CompletedProcess[str]:
    """Reach for the directory in a process of its own; what is mounted at the place is shown after it, outside."""
    inner = [sys.executable, "-c", SCRIPT, how, str(top)]
    shell = 'place="$0"; "$@"; code=$?; ls "$place"; exit $code'
    command = [*SHARING, "sh", "-c", shell, str(top / "place"), *before, *inner]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("how", "rooted"), [("plain", "False"), ("chroot", "True")])
def test_a_closed_folder_is_reached_and_nobody_else_sees_the_mount(top: Path, how: str, rooted: str) -> None:
    done = reached(top, how)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["rows", rooted], "the rows, whether it is in its chroot still, and an empty place"


def test_where_nothing_can_be_mounted_the_closed_folder_is_named(top: Path) -> None:
    done = reached(top, "plain", "setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin")
    assert done.returncode == 1
    assert f"who may not enter {top}/closed, and no mount of its own can be made here" in done.stderr
    assert "Operation not permitted" in done.stderr
