"""Where the server's user is shown data that it may not reach: at a place below which nothing is needed."""

import ctypes
import os
import pwd
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from statefuldb.keeper import reach
from statefuldb.keeper.refusal import Refused


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("mysql", "mnt", "data", "sandbox"):
        (tmp_path / name / "member").mkdir(parents=True)
    monkeypatch.setattr(reach, "_PLACES", (tmp_path / "mysql", tmp_path / "mnt"))
    monkeypatch.setattr(reach, "_may_enter", lambda *_: False)
    kernel = MagicMock()
    kernel.unshare.return_value = kernel.mount.return_value = 0
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: kernel)
    return tmp_path


@pytest.mark.parametrize(
    ("data", "sandbox", "place"),
    [("data", "sandbox", "mysql"), ("mysql", "sandbox", "mnt"), ("data", "mysql", "mnt")],
)
def test_the_mount_hides_neither_the_data_nor_the_sandbox(data: str, sandbox: str, place: str, folder: Path) -> None:
    """With both below the one place there was, the data was said to be emptied: `has no identity marker`."""
    user = pwd.getpwuid(os.geteuid())
    found = reach.reachable(folder / data / "member", user, besides=(folder / sandbox / "member",))
    assert found == folder / place


def test_a_link_to_what_the_mount_would_hide_counts_as_that(folder: Path) -> None:
    """As a folder for temporary files may be, in which the server's configuration lies."""
    (folder / "tmp").symlink_to(folder / "mysql/member")
    user = pwd.getpwuid(os.geteuid())
    assert reach.reachable(folder / "data/member", user, besides=(folder / "tmp/sdb-1",)) == folder / "mnt"


def test_where_each_place_would_hide_something_that_is_said(folder: Path) -> None:
    user = pwd.getpwuid(os.geteuid())
    with pytest.raises(Refused, match="mnt is there, with nothing of this member's below it"):
        reach.reachable(folder / "mysql/member", user, besides=(folder / "mnt/member",))
