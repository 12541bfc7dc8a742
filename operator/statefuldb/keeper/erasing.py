"""Removing a member's data, where the operator was told to: only what is proved to be this member's."""

import os
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from statefuldb.keeper import directory as member
from statefuldb.keeper import opener
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.files import sync_directory, unread
from statefuldb.keeper.mounts import check_place, mounted_below
from statefuldb.keeper.refusal import NotOurs, Refused
from statefuldb.model.keeper import KeeperConfig


def find(config: KeeperConfig, sandbox: Path, subdirectory: str) -> member.MemberDirectory | None:
    """Return the directory that is to be removed, None where none is there. Raises Refused or OSError."""
    check_place(config.data, Path(config.data.directory))
    if not member.is_there(config):
        return None
    return member.open_directory(_emptying(config), sandbox, subdirectory)


def erase(config: KeeperConfig, directory: member.MemberDirectory) -> None:
    """Remove the member's data. Raises Refused or OSError.

    Where another member lives by now, nothing is left of this one's.
    """
    config = _emptying(config)
    try:
        # Told before the claim is looked at: another member's server may hold that for ever.
        marked = member.is_marked(config, directory)
        claim = Claim(directory.lock, may_create=not marked)
        try:
            if not claim.try_take() or not claim.holds():
                raise Refused(f"{directory.path} is still held by a running server, or was just removed")
            member.check_identity(config, directory)
            opener.check(config, directory)
            _remove_all(directory)
        finally:
            claim.release()
    except NotOurs as other:
        sys.stderr.write(f"nothing is removed: {other}\n")


def _emptying(config: KeeperConfig) -> KeeperConfig:
    """Return orders by which what an earlier attempt or a bootstrap left half done may go."""
    return replace(config, bootstrap="Empty")


def _remove_all(directory: member.MemberDirectory) -> None:
    """Remove everything of this member, its directory included. Called with the claim held. Raises Refused.

    The marker goes after all that it marks, the lock last, and who opened the data after the token that says that
    somebody did: a removal that is cut off can be taken up again.
    """
    inside = mounted_below(directory.path)
    if inside - {directory.path}:
        names = ", ".join(sorted(map(str, inside - {directory.path})))
        raise Refused(f"{names} is mounted below {directory.path}: what lies there is not this member's; unmount it")
    _refuse_around_another(directory.path)
    # Whoever calls it off while it is under way is not to be shown the rest. A full disk is no reason to keep all.
    with suppress(OSError):
        _begin_erasing(directory)
        sync_directory(directory.folder)
    marks = (directory.folder / "launch", directory.folder / "identity.json", directory.erasing, directory.lock)
    kept = (directory.folder, *marks)
    for folder in (directory.path, directory.folder):
        for entry in folder.iterdir():
            if entry not in kept:
                _remove(entry)
    for entry in marks:
        entry.unlink(missing_ok=True)
    directory.folder.rmdir()
    # A directory that is a mount point itself stays, empty.
    if not inside:
        directory.path.rmdir()


def _begin_erasing(directory: member.MemberDirectory) -> None:
    try:
        directory.erasing.touch()
    except OSError:
        # There is no room for a file more, but a name for one that goes anyway. Without a token nothing was opened.
        (directory.folder / "token").rename(directory.erasing)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _refuse_around_another(path: Path) -> None:
    """Raise Refused where another member's data lies below `path`: an earlier keeper let it be begun there."""
    for folder, folders, _ in os.walk(path, onerror=unread):
        if member.KEEPER_FOLDER in folders and Path(folder) != path:
            raise Refused(f"{folder} below {path} is the directory of another member: release that one first")
