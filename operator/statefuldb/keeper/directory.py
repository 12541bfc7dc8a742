"""A member's directory: where it is, who it belongs to, and the marker that says so.

`<directory>/.statefuldb/` holds `identity.json`, `claim.lock`, `token`, `epoch`, on a shared file system `launch` and,
during a bootstrap, `bootstrap.intent`, during a removal `erasing`; the server's own data is in a folder beside it
(docs/design.md section 8).
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from statefuldb.keeper.files import exists, read_json, read_number, sync_directory, write_durably
from statefuldb.keeper.mounts import check_place
from statefuldb.keeper.owners import is_the_servers, keep, refuse_below_the_servers
from statefuldb.keeper.refusal import NotOurs, Refused
from statefuldb.model.keeper import DATA_EXPECTED, MADE_WITH, OF_ANOTHER, KeeperConfig
from statefuldb.planning.engines import made_with

KEEPER_FOLDER = ".statefuldb"
_EMPTIED = f"{DATA_EXPECTED}: somebody emptied it, or made it anew; bring the data back, or restore a backup"
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
    def erasing(self) -> Path:
        """The file that says that the data began to be removed."""
        return self.folder / "erasing"

    @property
    def lock(self) -> Path:
        """The file on which the claim is a lock."""
        return self.folder / "claim.lock"


def open_directory(config: KeeperConfig, sandbox: Path, subdirectory: str) -> MemberDirectory:
    """Return the member's directory. Raises Refused where it would lie elsewhere.

    Only what may be begun is created: where data is expected and its directory is not there, a file system may not be
    mounted, and an empty directory in its place would look like an answer.
    """
    place, begins = config.data, config.bootstrap == "Empty"
    if place.root is None:
        path = sandbox / place.directory
        if not path.is_dir():
            raise Refused(f"the persistent volume is not mounted at {place.directory} in the sandbox")
        path = path.resolve()
        if begins:
            refuse_below_the_servers(path.parent)
    else:
        path = _below_root(Path(place.root), Path(place.directory), create_root=place.create, begins=begins)
    folder, data = path / KEEPER_FOLDER, path / subdirectory
    if not begins and not folder.is_dir():
        raise Refused(f"{path} has no identity marker, {_EMPTIED}")
    # The server runs as another user and must be able to reach its own folder below.
    keep(path, 0o711)
    for part in (folder, data):
        if part.is_symlink():
            raise Refused(f"{part} is a symbolic link: it could lead out of {path}")
    folder.mkdir(mode=0o700, exist_ok=True)
    keep(folder, 0o700)
    opened = MemberDirectory(path=path, data=data)
    # Looked at once more: an automounter mounts what is looked into.
    check_place(place, path, folder, opened.lock, data)
    return opened


def nearest(config: KeeperConfig, sandbox: Path) -> Path:
    """Return the nearest folder above the data that exists: where its disk space is to be looked for."""
    path = sandbox / config.data.directory
    return next(folder for folder in (path, *path.parents) if folder.exists())


def is_there(config: KeeperConfig) -> bool:
    """Say whether there is a directory to be emptied. Raises Refused where it is not to be seen, but may be there."""
    path = Path(config.data.directory)
    if config.data.root is None or exists(path):
        return True
    # Emptying a directory leaves the folder that it lay in.
    if config.bootstrap != "Empty" and not path.parent.is_dir():
        raise Refused(
            f"{path.parent} is not there either: is its file system mounted? Where the data is truly gone, create an "
            "empty directory there"
        )
    return False


def _below_root(root: Path, directory: Path, *, create_root: bool, begins: bool) -> Path:
    if not directory.is_relative_to(root):
        raise Refused(f"{directory} is not below {root}")
    if not root.is_dir():
        if not begins:
            raise Refused(f"{root} does not exist on this agent, {DATA_EXPECTED}: is its file system mounted?")
        if not create_root:
            raise Refused(f"{root} does not exist on this agent; create it, or set hostPath.create")
    # resolve() takes what does not exist yet as it is written.
    real_root = root.resolve()
    if begins and not directory.exists():
        refuse_below_the_servers(real_root)
    if begins:
        _refuse_inside_another(real_root / directory.relative_to(root))
    _make(root)
    path = real_root
    for part in directory.relative_to(root).parts:
        path = path / part
        if path.is_symlink():
            raise Refused(f"{path} is a symbolic link: it could lead out of {root}")
        if begins:
            path.mkdir(mode=0o711, exist_ok=True)
            sync_directory(path.parent)
        elif not path.is_dir():
            raise Refused(f"{path} does not exist on this agent, {DATA_EXPECTED}: is its file system mounted?")
        if is_the_servers(path):
            keep(path, 0o711)
    return path


def _make(root: Path) -> None:
    """Make a folder, and those on the way to it, so that they are still there after a power cut."""
    if not root.is_dir():
        _make(root.parent)
        root.mkdir(mode=0o755, exist_ok=True)
        sync_directory(root.parent)


def _refuse_inside_another(path: Path) -> None:
    """Raise Refused where what is to be begun at `path` would lie in a member's data, and would be erased with it."""
    if _is_a_members(path):
        return
    outer = next((folder for folder in path.parents if _is_a_members(folder)), None)
    if outer is not None:
        raise Refused(f"{path} would lie inside {outer}, which is the directory of another member; choose another root")


def _is_a_members(path: Path) -> bool:
    """Say whether a keeper has taken its claim here. The embedded cluster keeps its state in a folder of that name."""
    return any(exists(path / KEEPER_FOLDER / name) for name in ("claim.lock", "identity.json"))


def is_initialised(directory: MemberDirectory) -> bool:
    """Say whether the identity marker is there, whosever it is: then somebody has held a claim here before."""
    return exists(directory.folder / "identity.json")


def is_marked(config: KeeperConfig, directory: MemberDirectory) -> bool:
    """Say whether the directory is marked as this member's. Raises Refused where it is marked as another's.

    A marker appears whole and never changes, so it may be read whoever holds the claim.
    """
    identity = _read(directory.folder / "identity.json")
    if identity is None:
        return False
    mine = _identity(config)
    wrong = [k for k, v in mine.items() if identity.get(k) != v]
    if wrong:
        kind = NotOurs if {"uid", "ordinal"}.intersection(wrong) else Refused
        raise kind(
            f"{directory.path} {OF_ANOTHER}: "
            + ", ".join(f"{k} is {identity.get(k)!r}, not {mine[k]!r}" for k in wrong)
        )
    return True


def check_identity(config: KeeperConfig, directory: MemberDirectory) -> bool:
    """Say whether the directory holds this member's data. Called with the claim held. Raises Refused.

    False means that it may be initialised now: it is empty, or holds the remains of a bootstrap of this very member,
    and the operator gave explicit permission (law `no_empty_resurrection`).
    """
    mine = _identity(config)
    if is_marked(config, directory):
        # Left by a bootstrap that was cut off at its very end; it would be a licence to clear the directory.
        (directory.folder / "bootstrap.intent").unlink(missing_ok=True)
        if config.mode != "Erase" and exists(directory.erasing):
            raise Refused(
                f"{directory.path} holds what is left, {DATA_EXPECTED}: it began to be removed; release it and restore "
                f"a backup, or, if you know that all is there, remove {directory.erasing}"
            )
        return True
    if config.bootstrap != "Empty":
        raise Refused(f"{directory.path} has no identity marker, {_EMPTIED}")
    intent = _read(directory.folder / "bootstrap.intent")
    present = sorted(p.name for p in directory.path.iterdir() if p.name not in _IGNORED)
    if intent is None and present:
        raise Refused(
            f"{directory.path} has no identity marker but holds {', '.join(present[:5])}: it is not ours to initialise"
        )
    if intent is not None and intent != mine:
        raise NotOurs(f"{directory.path} holds the unfinished bootstrap of another member: {intent}")
    return False


def begin_bootstrap(config: KeeperConfig, directory: MemberDirectory) -> None:
    """Write down that an initialisation is under way, and clear the remains of one that never ended."""
    write_durably(directory.folder / "bootstrap.intent", json.dumps(_identity(config)))
    for remains in (directory.data, directory.data.with_suffix(".new")):
        if exists(remains):
            shutil.rmtree(remains)
    directory.erasing.unlink(missing_ok=True)


def end_bootstrap(config: KeeperConfig, directory: MemberDirectory, version: str) -> None:
    """Write the identity marker, last of all: from now on the directory holds data."""
    marker = {**_identity(config), "version": version, MADE_WITH: dict(made_with(config.engine, config.config))}
    write_durably(directory.folder / "identity.json", json.dumps(marker))
    (directory.folder / "bootstrap.intent").unlink(missing_ok=True)


def next_token(config: KeeperConfig, directory: MemberDirectory) -> int:
    """Take the fencing token: one more than the last, durable before the server starts. Raises Refused.

    A token below the recorded one means that this view of the file system is stale, or that it was rolled back.
    """
    path, held = directory.folder / "token", held_token(config, directory)
    if held < config.minimum_token:
        raise Refused(f"{path} says {held}, the ledger says {config.minimum_token}: this view of the data is stale")
    write_durably(path, str(held + 1))
    return held + 1


def held_token(config: KeeperConfig, directory: MemberDirectory) -> int:
    """Return the token that was taken last, 0 before the first. Raises Refused."""
    try:
        return read_number(directory.folder / "token")
    except ValueError as error:
        raise Refused(
            f"{error}, the ledger says {config.minimum_token}: make sure that this is the newest state of the data, "
            "then write that number into it"
        ) from error


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
