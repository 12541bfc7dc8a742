"""Files that nobody but the operator's user may read: keys, which libraries take from files only."""

import os
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by a new file with `content`, whole, of mode 0600, whatever is there. Raises OSError.

    To write into what is there would leave the mode that it has, and follow a link that somebody put there.
    """
    draft = path.with_name(f".{path.name}.new")
    with suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
