"""What a process loads: no more than it uses, in memory and in time to start."""

import subprocess
import sys

import pytest

SIMULATED = ("statefuldb.simulation", "statefuldb.local.api_server", "statefuldb.local.mesos", "celpy", "lark")


@pytest.mark.parametrize(
    ("loaded", "spared"),
    [
        pytest.param("statefuldb.cli", (*SIMULATED, "kopf", "aiohttp", "pymesos", "kazoo"), id="command line"),
        pytest.param("statefuldb.cli, statefuldb.app", SIMULATED, id="operator"),
    ],
)
def test_what_only_some_commands_need_is_loaded_by_those_only(loaded: str, spared: tuple[str, ...]) -> None:
    code = f"import sys, {loaded}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "statefuldb.cli.operating" in found
    assert not [name for name in found if name in spared or name.startswith(tuple(f"{each}." for each in spared))]
