"""One member for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.keeper.following import Following
from integration.keeper.member import Member
from statefuldb.adapters.keeper.operator_identity import make_identity


@pytest.fixture
def member(tmp_path: Path) -> Iterator[Member]:
    if shutil.which("mariadbd", path="/usr/sbin") is None:
        pytest.skip("no MariaDB server here")
    # The server runs as another user and must be able to reach its directory.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    one = Member(tmp_path, make_identity())
    yield one
    for process in one.processes:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    made = Following(tmp_path)
    yield made
    made.close()
