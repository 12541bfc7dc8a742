"""A folder that cannot be read is not an empty one, whatever goes through a directory."""

import errno
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statefuldb.keeper import erasing
from statefuldb.keeper.files import sync_tree
from statefuldb.keeper.owners import give_tree

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
