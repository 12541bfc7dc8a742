"""A member's directory: where it is, who it belongs to, and the marker that says so.

`<directory>/.statefuldb/` holds `identity.json`, `claim.lock`, `token`, `epoch` and, during a bootstrap,
`bootstrap.intent`; the server's own data is in a folder beside it (docs/design.md section 8).
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from statefuldb.keeper.files import read_json, write_durably
from statefuldb.keeper.refusal import Refused
from statefuldb.model.keeper import KeeperConfig

KEEPER_FOLDER = ".statefuldb"
_IGNORED = {KEEPER_FOLDER, "lost+found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDirectory:
    """The paths of one member. `data` is where the server keeps its files."""

    path: Path
    data: Path

    @property
    def folder(self) -> Path:
        """The keeper's own folder."""
        return self.path / KEEPER_FOLDER

    @property
    def lock(self) -> Path:
        """The file on which the claim is a lock."""
        return self.folder / "claim.lock"


def open_directory(config: KeeperConfig, sandbox: Path, subdirectory: str) -> MemberDirectory:
    """Return the member's directory, creating it below its root. Raises Refused where it would lie elsewhere."""
    place = config.data
    if place.root is None:
        path = sandbox / place.directory
        if not path.is_dir():
            raise Refused(f"the persistent volume is not mounted at {place.directory} in the sandbox")
        path = path.resolve()
    else:
        path = _below_root(Path(place.root), Path(place.directory), create_root=place.create)
    folder = path / KEEPER_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    # The server runs as another user and must be able to reach its own folder below.
    path.chmod(0o711)
    return MemberDirectory(path=path, data=path / subdirectory)


def nearest(config: KeeperConfig, sandbox: Path) -> Path:
    """Return the nearest folder above the data that exists: where its disk space is to be looked for."""
    path = sandbox / config.data.directory
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _below_root(root: Path, directory: Path, *, create_root: bool) -> Path:
    if not root.is_dir():
        if not create_root:
            raise Refused(f"{root} does not exist on this agent; create it, or set hostPath.create")
        root.mkdir(parents=True, mode=0o755)
    real_root = root.resolve()
    if not directory.is_relative_to(root):
        raise Refused(f"{directory} is not below {root}")
    path = real_root
    for part in directory.relative_to(root).parts:
        path = path / part
        if path.is_symlink():
            raise Refused(f"{path} is a symbolic link: it could lead out of {root}")
        path.mkdir(mode=0o711, exist_ok=True)
    return path


def is_initialised(directory: MemberDirectory) -> bool:
    """Say whether the identity marker is there, whosever it is: then somebody has held a claim here before."""
    return (directory.folder / "identity.json").exists()


def check_identity(config: KeeperConfig, directory: MemberDirectory) -> bool:
    """Say whether the directory holds this member's data. Called with the claim held. Raises Refused.

    False means that it may be initialised now: it is empty, or holds the remains of a bootstrap of this very member,
    and the operator gave explicit permission (law `no_empty_resurrection`).
    """
    identity = _read(directory.folder / "identity.json")
    mine = _identity(config)
    if identity is not None:
        wrong = [k for k, v in mine.items() if identity.get(k) != v]
        if wrong:
            raise Refused(
                f"{directory.path} belongs to another member: "
                + ", ".join(f"{k} is {identity.get(k)!r}, not {mine[k]!r}" for k in wrong)
            )
        return True
    if config.bootstrap != "Empty":
        raise Refused(f"{directory.path} has no identity marker, and no bootstrap was asked for")
    intent = _read(directory.folder / "bootstrap.intent")
    present = sorted(p.name for p in directory.path.iterdir() if p.name not in _IGNORED)
    if intent is None and present:
        raise Refused(
            f"{directory.path} has no identity marker but holds {', '.join(present[:5])}: it is not ours to initialise"
        )
    if intent is not None and intent != mine:
        raise Refused(f"{directory.path} holds the unfinished bootstrap of another member: {intent}")
    return False


def begin_bootstrap(config: KeeperConfig, directory: MemberDirectory) -> None:
    """Write down that an initialisation is under way, and clear the remains of one that never ended."""
    write_durably(directory.folder / "bootstrap.intent", json.dumps(_identity(config)))
    for remains in (directory.data, directory.data.with_suffix(".new")):
        if remains.exists():
            shutil.rmtree(remains)


def end_bootstrap(config: KeeperConfig, directory: MemberDirectory, version: str) -> None:
    """Write the identity marker, last of all: from now on the directory holds data."""
    marker = {**_identity(config), "version": version}
    write_durably(directory.folder / "identity.json", json.dumps(marker))
    (directory.folder / "bootstrap.intent").unlink(missing_ok=True)


def recorded_version(directory: MemberDirectory) -> str:
    """Return the server version that last opened the data."""
    identity = _read(directory.folder / "identity.json") or {}
    return str(identity.get("version", ""))


def next_token(config: KeeperConfig, directory: MemberDirectory) -> int:
    """Take the fencing token: one more than the last, durable before the server starts. Raises Refused.

    A token below the recorded one means that this view of the file system is stale, or that it was rolled back.
    """
    path = directory.folder / "token"
    held = int(path.read_text()) if path.exists() else 0
    if held < config.minimum_token:
        raise Refused(f"{path} says {held}, the ledger says {config.minimum_token}: this view of the data is stale")
    write_durably(path, str(held + 1))
    return held + 1


def erase(directory: MemberDirectory) -> None:
    """Remove everything of this member, its directory included. Called with the claim held."""
    for entry in sorted(directory.path.iterdir(), key=lambda p: p.name == KEEPER_FOLDER):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if directory.path.name:
        os.rmdir(directory.path)


def _identity(config: KeeperConfig) -> dict[str, object]:
    return {
        "cluster": config.cluster,
        "uid": config.uid,
        "ordinal": config.ordinal,
        "engine": config.engine,
    }


def _read(path: Path) -> dict[str, object] | None:
    try:
        content = read_json(path)
    except ValueError as error:
        raise Refused(f"{path} cannot be read: {error}") from error
    if content is not None and not isinstance(content, dict):
        raise Refused(f"{path} is not a marker of ours")
    return content
