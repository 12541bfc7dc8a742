"""A directory as a source: its YAML and JSON files, as they are now."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from statefuldb.sync.ports import Snapshot, SourceFile, Unreachable

SUFFIXES = (".yaml", ".yml", ".json")
FILE_LIMIT_BYTES = 1024 * 1024
FOLDER_LINK = "is a link to a folder elsewhere; links are not followed"


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
        files = tuple(replace(_file(root, path), path=shown(path)) for path in paths)
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


def shown(path: str) -> str:
    """Return a path as text: bytes that are no UTF-8, which Python holds as surrogates, are written out."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def holds_manifests(path: str) -> bool:
    """Say whether a path (below the root) is that of a file of manifests."""
    return path.endswith(SUFFIXES) and not is_hidden(path)


def is_hidden(path: str) -> bool:
    """Say whether a path (below the root) is left alone for its name, or that of a folder on the way."""
    return any(part.startswith(".") for part in path.split("/"))


def _below(root: Path) -> Iterator[str]:
    def unreadable(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*names, *folders):
            path = (Path(folder) / name).relative_to(root).as_posix()
            if _is_elsewhere(root, path) if name in folders else holds_manifests(path):
                yield path


def _is_elsewhere(root: Path, path: str) -> bool:
    """Say whether a folder is a link to one that is not read where it lies."""
    if not (root / path).is_symlink():
        return False
    real = (root / path).resolve()
    return not real.is_relative_to(root) or is_hidden(real.relative_to(root).as_posix())


def _file(root: Path, path: str) -> SourceFile:
    try:
        # Of links that lead in a circle resolve() makes no OSError before Python 3.13.
        real = Path(os.path.realpath(root / path, strict=True))
        if real.is_dir():
            return SourceFile(path=path, text=None, problem=FOLDER_LINK)
        if not real.is_relative_to(root):
            return SourceFile(path=path, text=None, problem="is a link that leads out of the source")
        if not real.is_file():
            return SourceFile(path=path, text=None, problem="is no file")
        with real.open("rb") as file:
            return text_of(path, file.read(FILE_LIMIT_BYTES + 1))
    except OSError as error:
        return SourceFile(path=path, text=None, problem=f"cannot be read: {error.strerror}")
