"""The journal: one line of JSON for each pass that did something. It explains; nothing is recovered from it."""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from typing import Any

log = getLogger(__name__)
LIMIT_BYTES = 16 * 1024 * 1024


class FileJournal:
    """An append-only file, begun anew (the old one kept beside it) when it has grown large."""

    def __init__(self, path: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, object]) -> None:
        """Write one line. Where it cannot be written the pass goes on: no database waits for its explanation."""
        with self._lock:
            self._append(json.dumps(entry, separators=(",", ":")) + "\n")

    def _append(self, line: str) -> None:
        try:
            if self._path.exists() and self._path.stat().st_size > self._limit_bytes:
                self._path.rename(older(self._path))
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a") as file:
                file.write("\n" * _is_cut_off(descriptor) + line)
        except OSError as error:
            log.warning("the journal cannot be written: %s", error)


def _is_cut_off(descriptor: int) -> bool:
    """Say whether a file ends amid a line: the disk was full, or the machine went down."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a journal. `entry` is None where it is damaged (it was cut off while it was written)."""

    number: int
    entry: Mapping[str, Any] | None


class JournalReader:
    """Reads a journal and the older one beside it, and goes on where it left off."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 0
        self._inode = 0
        self._offset = 0
        self._begun = False

    def lines(self) -> Iterator[Line]:
        """Yield the whole lines that were not read before. Raises FileNotFoundError where there is no journal."""
        if not self._begun:
            self._begun = True
            if older(self._path).exists():
                yield from self._rest_of(older(self._path), 0)
                self._offset = 0
        inode = self._path.stat().st_ino
        if self._inode not in (0, inode):
            yield from self._rest_of(older(self._path), self._offset)
            self._offset = 0
        self._inode = inode
        yield from self._rest_of(self._path, self._offset)

    def _rest_of(self, path: Path, offset: int) -> Iterator[Line]:
        with path.open("rb") as file:
            file.seek(offset)
            for text in file:
                if not text.endswith(b"\n"):
                    return
                self._offset = offset = offset + len(text)
                self._number += 1
                yield Line(number=self._number, entry=_parse(text))


def older(path: Path) -> Path:
    """Return where the lines before those in `path` are kept."""
    return path.with_suffix(".old.jsonl")


def _parse(text: bytes) -> Mapping[str, Any] | None:
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
