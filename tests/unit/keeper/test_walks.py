"""What cannot be read is not absent: neither a folder, nor what is in it, nor a note that a keeper left."""

import errno
import os
import pwd
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from statefuldb.keeper import directory as member
from statefuldb.keeper import erasing
from statefuldb.keeper.files import sync_tree
from statefuldb.keeper.owners import give_tree
from unit.keeper.test_erase import filled, orders

SOMEBODY = pwd.struct_passwd(("somebody", "x", 12_345, 12_345, "", "/", "/bin/false"))


@pytest.mark.parametrize(
    "goes_through",
    [sync_tree, lambda root: give_tree(root, SOMEBODY), erasing._refuse_around_another],
    ids=["what is begun is synced", "the data is given to the server", "another member is looked for before a removal"],
)
def test_a_folder_that_cannot_be_read_is_told_of(
    goes_through: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sound").mkdir()
    (tmp_path / "damaged").mkdir()
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)

    def failing(call: Callable[..., Any]) -> Callable[..., Any]:
        def read(path: Any, *arguments: Any, **named: Any) -> Any:
            if isinstance(path, str | Path) and Path(path).name == "damaged":
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
            return call(path, *arguments, **named)

        return read

    monkeypatch.setattr(os, "open", failing(os.open))
    monkeypatch.setattr(os, "scandir", failing(os.scandir))
    with pytest.raises(OSError, match="Input/output error"):
        goes_through(tmp_path)


def unseen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have what bears this name not be told of, and Path.exists answer as it does from Python 3.14 on."""

    def lstat(path: Any, **_: Any) -> os.stat_result:
        if Path(path).name == name:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return os.stat(path, follow_symlinks=False)

    monkeypatch.setattr(os, "lstat", lstat)
    monkeypatch.setattr(Path, "exists", lambda self: self.name != name and os.path.lexists(self))


def test_a_directory_that_is_not_to_be_seen_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its removal was said to be done, and all of it was still there."""
    path = filled(tmp_path)
    unseen(monkeypatch, path.name)
    with pytest.raises(OSError, match="Input/output error"):
        erasing.find(orders(tmp_path), tmp_path, "mysql")


@pytest.mark.parametrize("name", ["erasing", "identity.json"])
def test_a_note_that_is_not_to_be_seen_is_not_absent(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is half removed would be served, and a lock that somebody removed made anew."""
    path = filled(tmp_path)
    directory = member.MemberDirectory(path=path, data=path / "mysql")
    unseen(monkeypatch, name)
    config = replace(orders(tmp_path), mode="Serve")
    with pytest.raises(OSError, match="Input/output error"):
        assert not member.is_initialised(directory) or member.check_identity(config, directory)
