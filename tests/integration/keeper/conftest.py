"""One member for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.keeper.following import Following
from integration.keeper.member import Member
from statefuldb.adapters.keeper.operator_identity import make_identity


@pytest.fixture
def member() -> Iterator[Member]:
    if shutil.which("mariadbd", path="/usr/sbin") is None:
        pytest.skip("no MariaDB server here")
    # The server runs as another user and must be able to reach its directory. Below pytest's own folder it would lose
    # it: every session of pytest that begins closes that to others.
    with tempfile.TemporaryDirectory(prefix="sdb-test-") as folder:
        Path(folder).chmod(0o755)
        one = Member(Path(folder), make_identity())
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
