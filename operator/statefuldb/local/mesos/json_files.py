"""JSON files that survive a kill -9: replaced whole, and synced with their directory."""

import json
import os
from pathlib import Path
from typing import Any


def save_json(path: Path, content: Any) -> None:
    """Replace a JSON file durably."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def load_json(path: Path, absent: Any) -> Any:
    """Return the content of a JSON file, or `absent` where there is none."""
    return json.loads(path.read_text()) if path.exists() else absent
