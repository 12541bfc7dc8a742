"""Removing a member's data, where the operator was told to: only what is proved to be this member's."""

import sys
from dataclasses import replace
from pathlib import Path

from statefuldb.keeper import directory as member
from statefuldb.keeper import opener
from statefuldb.keeper.claim import Claim
from statefuldb.keeper.mounts import check_mount
from statefuldb.keeper.refusal import NotOurs, Refused
from statefuldb.model.keeper import KeeperConfig


def find(config: KeeperConfig, sandbox: Path, subdirectory: str) -> member.MemberDirectory | None:
    """Return the directory that is to be removed, None where none is there. Raises Refused or OSError."""
    check_mount(config.data)
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
            member.erase(directory)
        finally:
            claim.release()
    except NotOurs as other:
        sys.stderr.write(f"nothing is removed: {other}\n")


def _emptying(config: KeeperConfig) -> KeeperConfig:
    """Return orders by which what an earlier attempt or a bootstrap left half done may go."""
    return replace(config, bootstrap="Empty")
