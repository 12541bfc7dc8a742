"""Persistent volumes as directories of an agent (Mesos docs, persistent-volume and multiple-disk)."""

import shutil
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def path_of(work_dir: Path, volume: Json) -> Path:
    """Return where a volume lives: below the root of its disk, or, on a Mount disk, the root itself."""
    source = volume["disk"].get("source", {})
    kind = str(source.get("type", "")).lower()
    root = source.get(kind, {}).get("root")
    if kind == "mount":
        return Path(root)
    role = str(volume["reservations"][-1]["role"]).replace("/", " ")
    base = work_dir / root if root else work_dir
    return base / "volumes" / "roles" / role / str(volume["disk"]["persistence"]["id"])


def create(work_dir: Path, volume: Json) -> None:
    """Make a volume's directory. What a Mount disk holds already stays and is seen."""
    path_of(work_dir, volume).mkdir(parents=True, exist_ok=True)


def destroy(work_dir: Path, volume: Json) -> None:
    """Remove a volume's data; the mount point of a Mount disk stays."""
    path = path_of(work_dir, volume)
    if volume["disk"].get("source", {}).get("type") != "MOUNT":
        shutil.rmtree(path, ignore_errors=True)
        return
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
