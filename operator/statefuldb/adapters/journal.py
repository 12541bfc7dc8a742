"""The journal: one line of JSON for each pass that did something. It explains; nothing is recovered from it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

LIMIT_BYTES = 16 * 1024 * 1024


class FileJournal:
    """An append-only file, begun anew (the old one kept beside it) when it has grown large."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, entry: Mapping[str, object]) -> None:
        """Write one line."""
        if self._path.exists() and self._path.stat().st_size > LIMIT_BYTES:
            self._path.rename(self._path.with_suffix(".old.jsonl"))
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(json.dumps(entry) + "\n")
