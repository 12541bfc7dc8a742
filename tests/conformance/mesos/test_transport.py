"""HTTP itself, byte by byte."""

import gzip
import json

from conformance.mesos.client import SCHEDULER, Http
from conformance.mesos.conftest import Subscribe
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import framework


def request(body: bytes, *headers: str, version: str = "1.1", length: bool = True) -> bytes:
    """Return a request to the scheduler endpoint."""
    lines = [f"POST {SCHEDULER} HTTP/{version}", "Host: x", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def usual(one: Scheduler) -> list[str]:
    return ["Content-Type: application/json", "Accept: application/json", f"Mesos-Stream-Id: {one.stream.id}"]


def revive(one: Scheduler) -> bytes:
    return json.dumps({"framework_id": one.framework_id, "type": "REVIVE"}).encode()


ACCEPTED = b"HTTP/1.1 202 Accepted\r\n"


def test_calls_follow_each_other_on_one_connection(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    twice = request(revive(one), *usual(one)) + request(revive(one), *usual(one), "Connection: close")
    assert master.raw(twice).count(ACCEPTED) == 2


def test_a_connection_is_closed_where_that_is_asked_or_the_protocol_is_old(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    assert master.raw(request(revive(one), *usual(one), "Connection: close")).startswith(ACCEPTED)
    assert b" 202 Accepted\r\n" in master.raw(request(revive(one), *usual(one), version="1.0"))


def test_a_body_may_come_in_chunks_or_packed(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    body = revive(one)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    headers = [*usual(one), "Connection: close"]
    sent = request(chunked, *headers, "Transfer-Encoding: chunked", length=False)
    assert master.raw(sent).startswith(ACCEPTED)
    assert master.raw(request(gzip.compress(body), *headers, "Content-Encoding: gzip")).startswith(ACCEPTED)


def test_calls_need_no_accept_header(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    headers = [header for header in usual(one) if not header.startswith("Accept")]
    assert master.raw(request(revive(one), *headers, "Connection: close")).startswith(ACCEPTED)


def test_the_stream_is_one_record_after_the_other_and_never_packed(subscribe: Subscribe, master: Http) -> None:
    call = json.dumps({"type": "SUBSCRIBE", "subscribe": {"framework_info": framework(failover_timeout=0)}}).encode()
    headers = ["Content-Type: application/json", "Accept: */*", "Accept-Encoding: gzip"]
    received = master.raw(request(call, *headers), until=b'{"type":"HEARTBEAT"}')
    head, _, body = received.partition(b"\r\n\r\n")
    names = {line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert {b"mesos-stream-id", b"transfer-encoding", b"content-type"} <= names
    assert b"content-encoding" not in names
    size, _, rest = body.partition(b"\r\n")
    record = rest[: int(size, 16)]
    length, _, event = record.partition(b"\n")
    assert int(length) == len(event)
    assert json.loads(event)["type"] == "SUBSCRIBED"
    assert b'\r\n20\n{"type":"HEARTBEAT"}' in rest


def test_a_half_closed_subscription_ends(master: Http) -> None:
    call = json.dumps({"type": "SUBSCRIBE", "subscribe": {"framework_info": framework(failover_timeout=0)}}).encode()
    headers = ["Content-Type: application/json", "Accept: application/json"]
    received = master.raw(request(call, *headers), half_close=True)
    assert b'"SUBSCRIBED"' in received
