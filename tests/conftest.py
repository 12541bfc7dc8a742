"""What tests of every kind may ask for."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from conformance.mesos import tally
from conformance.mesos.real_mesos.building import built
from e2e.real_mesos import RealCluster
from glusterfs import GlusterFs, glusterfs

# How long one example takes says more about the machine than about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="module")
def gluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GlusterFs]:
    """Yield a real GlusterFS with two views, or skip with the reason."""
    with glusterfs(tmp_path_factory.mktemp("gluster")) as servers:
        yield servers


@pytest.fixture(scope="session")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a built real Mesos, or skip with the reason."""
    run = tmp_path_factory.getbasetemp()
    return built((run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "real-mesos")


@pytest.fixture(scope="module")
def host_root() -> Iterator[str]:
    """Yield a folder for HostPath data, outside the state directory and open to the server's user.

    Each cluster asks for it, so that it outlives the servers that write there.
    """
    with tempfile.TemporaryDirectory(prefix="sdb-e2e-") as folder:
        Path(folder).chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def real(binaries: Path, tmp_path_factory: pytest.TempPathFactory, host_root: str) -> Iterator[RealCluster]:
    """Yield our operator on a real Mesos, with the embedded API server."""
    one = RealCluster(tmp_path_factory.mktemp("real"), binaries)
    yield one
    sys.stderr.write(one.log("operator")[-2000:])
    one.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables to which tests have added rows by `record_property`, whichever process they ran in."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    tables: dict[str, list[str]] = {"conformance of Mesos": tally.lines(reports)}
    for report in reports:
        for title, row in getattr(report, "user_properties", []) if getattr(report, "when", "") == "call" else []:
            if title not in tally.OURS:
                tables.setdefault(title, []).append(str(row))
    for title, rows in tables.items():
        if rows:
            terminalreporter.section(title)
        for row in rows:
            terminalreporter.write_line(row)
