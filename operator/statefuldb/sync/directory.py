"""A directory as a source: its YAML and JSON files, as they are now."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from statefuldb.sync.ports import Snapshot, SourceFile, Unreachable

SUFFIXES = (".yaml", ".yml", ".json")
FILE_LIMIT_BYTES = 1024 * 1024


class DirectorySource:
    """A directory, read anew each time. What is hidden (`.git`, `..data`) is left alone; links stay below the root."""

    changes_whole = False

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self) -> Snapshot:
        """Return the files below the directory, and a digest of them. Raises Unreachable."""
        try:
            root = self._root.resolve(strict=True)
            paths = sorted(_below(root))
        except OSError as error:
            raise Unreachable(f"{self._root}: {error.strerror}") from error
        files = tuple(_file(root, path) for path in paths)
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.path}\0{file.problem}\0{file.text}\0".encode())
        return Snapshot(revision=digest.hexdigest()[:40], files=files)


def text_of(path: str, content: bytes) -> SourceFile:
    """Return a file with its text, or with the reason why it has none."""
    if len(content) > FILE_LIMIT_BYTES:
        return SourceFile(path=path, text=None, problem=f"is larger than {FILE_LIMIT_BYTES} bytes")
    try:
        return SourceFile(path=path, text=content.decode())
    except UnicodeDecodeError as error:
        return SourceFile(path=path, text=None, problem=f"is no UTF-8: {error.reason} at byte {error.start}")


def holds_manifests(path: str) -> bool:
    """Say whether a path (below the root) is that of a file of manifests."""
    parts = path.split("/")
    return parts[-1].endswith(SUFFIXES) and not any(part.startswith(".") for part in parts)


def _below(root: Path) -> Iterator[str]:
    def unreadable(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = (Path(folder) / name).relative_to(root).as_posix()
            if holds_manifests(path):
                yield path


def _file(root: Path, path: str) -> SourceFile:
    try:
        real = (root / path).resolve(strict=True)
        if not real.is_relative_to(root):
            return SourceFile(path=path, text=None, problem="is a link that leads out of the source")
        if not real.is_file():
            return SourceFile(path=path, text=None, problem="is no file")
        with real.open("rb") as file:
            return text_of(path, file.read(FILE_LIMIT_BYTES + 1))
    except OSError as error:
        return SourceFile(path=path, text=None, problem=f"cannot be read: {error.strerror}")
