"""Whose lack of space is waited for: that of the disk that the data lies on."""

import errno
import os
import threading
from pathlib import Path

import pytest

from statefuldb.keeper.disk import Disk
from statefuldb.keeper.state import State


@pytest.mark.parametrize("named", ["ibdata1", 7, None])
def test_what_is_not_named_by_its_path_lies_where_the_data_does(
    named: str | int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is given to the server's user is named as in its folder: the disk of the sandbox was looked at."""
    stopping = threading.Event()
    disk = Disk(state=State("sdb.u.0.1"), stopping=stopping, place=lambda: tmp_path)
    monkeypatch.setattr(disk, "_wait_for_space", lambda **_: stopping.set())
    monkeypatch.chdir("/proc")

    def step() -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), named)

    assert disk.once_there_is_space(step) is None
    assert stopping.is_set()
