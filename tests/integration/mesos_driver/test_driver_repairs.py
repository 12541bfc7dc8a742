"""Further defects of pymesos that our driver must not have: each has its counterpart in `test_bare_pymesos.py`."""

import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from integration.mesos_driver.certificates import Certificates, make_certificates
from integration.mesos_driver.conftest import Setup
from integration.mesos_driver.scripted_master import Json, Script, Stream
from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.driver import Driver, Event
from statefuldb.adapters.mesos.transport import TlsFiles
from statefuldb.adapters.mesos.wire import offer_from_wire


def stay(stream: Stream) -> None:
    stream.subscribed()
    stream.ended.wait(20)


def test_a_refused_acknowledgement_is_no_reason_to_leave(setup: Setup) -> None:
    master = setup.master(stay, status=503)
    driver = setup.driver(master.address)
    setup.connected()
    with pytest.raises(CallFailed, match="503"):
        driver.acknowledgeStatusUpdate({"task_id": {"value": "t"}, "agent_id": {"value": "a"}, "uuid": "dQ=="})
    assert driver.connected
    assert master.kinds() == ["SUBSCRIBE", "ACKNOWLEDGE"]


def ending(stream: Stream) -> None:
    stream.subscribed()


def malformed(stream: Stream) -> None:
    stream.begin()
    stream.say({"type": "SUBSCRIBED"})


def nowhere(stream: Stream) -> None:
    stream.begin(307)


def said(record: bytes) -> Script:
    def script(stream: Stream) -> None:
        stream.begin()
        stream.send(b"%x\r\n%s\r\n" % (len(record), record))

    return script


immense = said(b"9" * 20 + b"\n")
deep = said(b"100000\n" + b"[" * 100_000)


@pytest.mark.parametrize("script", [ending, malformed, nowhere, immense, deep])
def test_a_master_that_ends_the_stream_is_not_stormed(setup: Setup, script: Script) -> None:
    master = setup.master(script)
    setup.driver(master.address)
    threading.Event().wait(3)
    assert 2 <= len(master.subscriptions) <= 5


def test_masters_that_redirect_to_each_other_are_not_stormed(setup: Setup) -> None:
    addresses: list[str] = []
    one = setup.master(lambda stream: stream.begin(307, Location=f"//{addresses[1]}/api/v1/scheduler"))
    two = setup.master(lambda stream: stream.begin(307, Location=f"//{addresses[0]}/api/v1/scheduler"))
    addresses += [one.address, two.address]
    setup.driver(one.address)
    threading.Event().wait(3)
    assert 2 <= len(one.subscriptions) + len(two.subscriptions) <= 12


def test_a_consumer_that_starts_over_each_time_does_not_storm(setup: Setup) -> None:
    # As where the framework id cannot be stored, because the API does not answer.
    master = setup.master(stay)
    drivers: list[Driver] = []
    known = threading.Event()

    def start_over(event: Event) -> None:
        if event["type"] == "SUBSCRIBED" and known.wait(5):
            drivers[0].resubscribe(drivers[0].stream_id)

    drivers.append(setup.driver(master.address, start_over))
    known.set()
    threading.Event().wait(3)
    assert 2 <= len(master.subscriptions) <= 5


def test_a_strange_version_is_not_even_asked_for(setup: Setup) -> None:
    master = setup.master(stay, version="1.11.0-rc1")
    setup.driver(master.address)
    setup.connected()


def test_it_can_be_imported_outside_the_main_thread_and_leaves_signals_alone() -> None:
    program = (
        "import signal, threading\n"
        "before = signal.getsignal(signal.SIGINT)\n"
        "def load():\n"
        "    import statefuldb.adapters.mesos.driver\n"
        "    print('imported', signal.getsignal(signal.SIGINT) is before)\n"
        "thread = threading.Thread(target=load)\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "imported True\n", done.stderr


def test_a_master_at_an_ipv6_address(setup: Setup) -> None:
    try:
        master = setup.master(stay, host="::1")
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    driver = setup.driver(master.address)
    setup.connected()
    driver.reviveOffers(["r"])
    master.wait_for("REVIVE")


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


def test_tls_with_an_authority_and_a_client_certificate(setup: Setup, certificates: Certificates) -> None:
    master = setup.master(stay, tls=certificates.server_context())
    tls = TlsFiles(authority=certificates.authority, certificate=certificates.client)
    driver = setup.driver(master.address, tls=tls, credentials=("p", "hush"))
    setup.connected()
    driver.reviveOffers(["r"])
    master.wait_for("REVIVE")


@pytest.mark.parametrize("lacking", ["authority", "certificate"])
def test_tls_without_either_is_no_connection(setup: Setup, certificates: Certificates, lacking: str) -> None:
    master = setup.master(stay, tls=certificates.server_context())
    tls = TlsFiles(
        authority=certificates.authority if lacking == "certificate" else None,
        certificate=certificates.client if lacking == "authority" else None,
    )
    setup.driver(master.address, tls=tls)
    deadline = time.monotonic() + 10
    while not setup.states:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not setup.states[0].connected
    assert "certificate" in setup.states[0].error.lower() or "ssl" in setup.states[0].error.lower()
    assert master.calls == []


def offers_event(size_bytes: int) -> Json:
    def resource(number: int) -> Json:
        labels = [{"key": "k", "value": f"{number}" * 20}]
        reservations = [{"type": "DYNAMIC", "role": "r", "principal": "p", "labels": {"labels": labels}}]
        return {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.5}, "reservations": reservations}

    offer = {
        "id": {"value": "o"},
        "agent_id": {"value": "a"},
        "hostname": "h",
        "resources": [resource(n) for n in range(40)],
    }
    # An offer of this kind is about 9 kB.
    return {"type": "OFFERS", "offers": {"offers": [offer] * (size_bytes // 9000)}}


def test_a_large_offers_event_is_read_and_translated_in_time_linear_in_its_size(setup: Setup) -> None:
    small, large = 2_000_000, 20_000_000
    took: dict[int, list[float]] = {small: [], large: []}
    arrived, done = threading.Event(), threading.Event()
    # Time of this process alone: what else the machine does is no matter here.
    began = [0.0]
    current = [0]

    def on_event(event: Event) -> None:
        if event["type"] == "OFFERS":
            for offer in event["offers"]["offers"]:
                offer_from_wire(offer, 0.0)
            took[current[0]].append(time.process_time() - began[0])
            arrived.set()

    events = {size: offers_event(size) for size in took}

    def talk(stream: Stream) -> None:
        stream.subscribed()
        for size in (small, large) * 5:
            arrived.clear()
            record = stream.record(events[size])
            current[0], began[0] = size, time.process_time()
            stream.send(record)
            assert arrived.wait(60)
        done.set()
        stream.ended.wait(20)

    setup.driver(setup.master(talk).address, on_event)
    assert done.wait(240)
    ratio = statistics.median(took[large]) / statistics.median(took[small])
    assert ratio < 12, (ratio, took)
