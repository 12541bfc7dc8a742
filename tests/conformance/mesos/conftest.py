"""Each test runs on every master there is, its assertions are counted, and what it saw is compared between masters."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.mesos import tally
from conformance.mesos.client import Http, Json
from conformance.mesos.equipped import DOMAIN, Equipment
from conformance.mesos.grouping import has_default_executor
from conformance.mesos.masters import Command, Control, Embedded, Mesos, OneProcess, Whole, as_flags, may_mount
from conformance.mesos.recording import Recording, differences
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.tidying import settled, tidy

GIVEN = os.environ.get("STATEFULDB_TEST_MESOS")
MASTERS = ["given"] if GIVEN else ["embedded", "real"]
AGENTS = 2
RECORDINGS: dict[str, tuple[str, Recording]] = {}

Subscribe = Callable[..., Scheduler]


@pytest.fixture(scope="session", params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master with two agents. Files of tests that need a master of their own have a fixture of this name."""
    with opened(request, tmp_path_factory) as one:
        yield one


@contextlib.contextmanager
def opened(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    agents: int = AGENTS,
    authorization: str | None = None,
    flags: dict[str, str] | None = None,
) -> Iterator[Mesos]:
    """Give a master that was started with these flags; one that is given is started again for that.

    `authorization` is the header that the tests prove themselves by, where they do not say otherwise.
    """
    flags = flags or {}
    folder = tmp_path_factory.mktemp(f"mesos-{request.param}")
    match request.param:
        case "given":
            command = os.environ.get("STATEFULDB_TEST_MESOS_CONTROL")
            one = Mesos("given", GIVEN or "", Command(command) if command else None)
            one.http.usual["Authorization"] = authorization
            if flags:
                _restart(one, flags)
            yield one
            if flags:
                _restart(one, {})
        case "embedded":
            embedded = Embedded(folder, agents, *as_flags(flags))
            with contextlib.closing(embedded):
                embedded.mesos.http.usual["Authorization"] = authorization
                settled(embedded.mesos.http, agents)
                yield embedded.mesos
        case "real":
            real = OneProcess(request.getfixturevalue("binaries"), folder, agents, flags)
            with contextlib.closing(real):
                real.mesos.http.usual["Authorization"] = authorization
                settled(real.mesos.http, agents)
                yield real.mesos


@pytest.fixture(scope="session", params=MASTERS)
def equipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master with one agent that has disks of each type, static reservations, attributes and a domain."""
    folder = tmp_path_factory.mktemp(f"mesos-{request.param}")
    equipment = Equipment(folder)
    if request.param == "given":
        pytest.skip("needs an agent with disks of each type and static reservations")
    if request.param == "embedded":
        domain = ("--domain", json.dumps(DOMAIN))
        embedded = Embedded(folder, 1, *domain, agent_flags=as_flags(equipment.flags()))
        with contextlib.closing(embedded):
            settled(embedded.mesos.http, 1)
            yield embedded.mesos
        return
    binaries = request.getfixturevalue("binaries")
    if not may_mount():
        pytest.skip("no Mount disk: mounting needs root")
    real = OneProcess(binaries, folder, 1, equipment.flags(), equipment.mounts)
    with contextlib.closing(real):
        settled(real.mesos.http, 1)
        yield real.mesos


def _restart(one: Mesos, flags: dict[str, str]) -> None:
    agents = len(one.agents())
    if one.control is None:
        pytest.skip("needs a master with flags of its own (STATEFULDB_TEST_MESOS_CONTROL)")
    one.control.run("stop", "master")
    one.control.run("start", "master", 0, *as_flags(flags))
    settled(one.http, agents)


@pytest.fixture
def control(mesos: Mesos) -> Control:
    """The process control of the master, or a skip that says so."""
    if mesos.control is None:
        pytest.skip("needs process control of single daemons (STATEFULDB_TEST_MESOS_CONTROL)")
    return mesos.control


@pytest.fixture
def whole(mesos: Mesos) -> Whole:
    """The cluster as one thing that can be killed and started again, or a skip that says so."""
    if mesos.whole is None:
        pytest.skip("needs the work directories of the agents, and to kill all daemons at once")
    return mesos.whole


@pytest.fixture
def master(mesos: Mesos) -> Http:
    """The HTTP of the master."""
    return mesos.http


@pytest.fixture(scope="session")
def default_executor(mesos: Mesos) -> bool:
    """Whether the agents run task groups."""
    return has_default_executor(mesos)


@pytest.fixture
def recording() -> Recording:
    """What the test sees."""
    return Recording()


@pytest.fixture
def subscribe(mesos: Mesos, recording: Recording) -> Iterator[Subscribe]:
    """Yield a way to subscribe; what the schedulers leave behind is taken away, reservations and volumes too."""
    opened: list[Scheduler] = []

    def one(info: Json | None = None, **headers: str | None) -> Scheduler:
        opened.append(Scheduler(mesos.http, recording, info, **headers))
        return opened[-1]

    one.opened = opened  # type: ignore[attr-defined]
    yield one
    tidy(mesos.http, [scheduler.framework_id for scheduler in opened if scheduler.framework_id is not None])
    for scheduler in opened:
        scheduler.stream.close()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """Compare what a test saw on one master with what it saw on the other."""
    done = yield
    mesos, recording = pyfuncitem.funcargs.get("mesos"), pyfuncitem.funcargs.get("recording")
    if not isinstance(mesos, Mesos) or not isinstance(recording, Recording):
        return done
    for scheduler in getattr(pyfuncitem.funcargs.get("subscribe"), "opened", []):
        scheduler.record()
    known = RECORDINGS.setdefault(exchange_of(pyfuncitem), (mesos.name, recording))
    if known[0] != mesos.name:
        difference = differences(known[1], recording, (known[0], mesos.name))
        if difference:
            pytest.fail(f"the masters differ:\n{difference}", pytrace=False)
        pyfuncitem.user_properties.append((tally.ALIKE, recording.steps))
    return done


def exchange_of(item: pytest.Function) -> str:
    """Return the name of a test without that of its master."""
    given = sorted(item.callspec.params.items())
    others = [f"{name}={value}" for name, value in given if name not in ("mesos", "equipped")]
    return f"{item.path.name}::{item.originalname}[{', '.join(others)}]"


def pytest_assertion_pass(item: pytest.Item) -> None:
    """Count an assertion that held, on the master that it was made about."""
    mesos = getattr(item, "funcargs", {}).get("mesos")
    if mesos is not None:
        item.user_properties.append((tally.ASSERTED, mesos.name))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the parts of the real Mesos out: they are programs, not tests."""
    return True if collection_path.name == "real_mesos" else None
