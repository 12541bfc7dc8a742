"""The build of the real Mesos, once for all processes of a test run."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BUILD = Path(__file__).parent / "build.sh"


def built(folder: Path) -> Path:
    """Return a real Mesos: that of STATEFULDB_REAL_MESOS, or one built in `folder`; else skip with the reason."""
    named = os.environ.get("STATEFULDB_REAL_MESOS")
    if named:
        return Path(named)
    if shutil.which("g++") is None:
        pytest.skip("no real Mesos: building it needs g++")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failure = folder / "failure"
        if not (folder / "run-local.sh").exists() and not failure.exists():
            done = subprocess.run(
                ["bash", str(BUILD), str(folder)],
                env={**os.environ, "PYTHON": sys.executable},
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            if done.returncode != 0:
                failure.write_text(done.stderr[-300:])
        if failure.exists():
            pytest.skip(f"no real Mesos: {failure.read_text()}")
    return folder
