"""What the scheduler endpoint answers to wrong requests."""

import base64
import uuid
from typing import Any

import pytest

from conformance.mesos.client import SCHEDULER, Http, Json
from conformance.mesos.conftest import Subscribe
from conformance.mesos.recording import Recording
from conformance.mesos.things import CAPABILITIES, framework

STRAY_STREAM = "5f9a4a3a-6a0e-4d3f-8f57-7d0a4a5b1c2d"
UUID = base64.b64encode(uuid.uuid4().bytes).decode()

MALFORMED: dict[str, tuple[Any, str]] = {
    "unknown framework": ({"type": "REVIVE", "framework_id": {"value": "nope-0000"}}, "Framework cannot be found"),
    "no framework id": (
        {"type": "REVIVE"},
        "Failed to validate scheduler::Call: Expecting 'framework_id' to be present",
    ),
    "not JSON": (b"{not json", "Failed to parse body into JSON: syntax error at line 1 near: not json"),
    "unknown type": (
        {"type": "NO_SUCH_CALL"},
        "Failed to validate scheduler::Call: Expecting 'type' to be present",
    ),
    "no user": (
        {"type": "SUBSCRIBE", "subscribe": {"framework_info": {"name": "x"}}},
        "Failed to convert JSON into Call protobuf: Missing required fields: subscribe.framework_info.user",
    ),
    "no body": (
        {"type": "SUBSCRIBE"},
        "Failed to validate scheduler::Call: Expecting 'subscribe' to be present",
    ),
}


def posted(master: Http, recording: Recording, body: Any, **headers: str | None) -> tuple[int, str]:
    answer = master.send("POST", SCHEDULER, body, **headers)
    recording.call(body.decode() if isinstance(body, bytes) else body, answer.status, answer.text)
    return answer.status, answer.text


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request(master: Http, recording: Recording, name: str) -> None:
    body, text = MALFORMED[name]
    assert posted(master, recording, body) == (400, text)


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8"])
def test_another_content_type(master: Http, recording: Recording, content_type: str) -> None:
    text = "Expecting 'Content-Type' of application/json or application/x-protobuf"
    assert posted(master, recording, {"type": "REVIVE"}, Content_Type=content_type) == (415, text)


def test_no_content_type(master: Http, recording: Recording) -> None:
    text = "Expecting 'Content-Type' to be present"
    assert posted(master, recording, b"{}", Content_Type=None) == (400, text)


def test_a_subscription_that_cannot_be_answered(master: Http, recording: Recording) -> None:
    call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": framework()}}
    text = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'"
    assert posted(master, recording, call, Accept="text/html") == (406, text)
    text = "Subscribe calls should not include the 'Mesos-Stream-Id' header"
    assert posted(master, recording, call, Mesos_Stream_Id=STRAY_STREAM) == (400, text)


REFUSED: dict[str, tuple[Json, str]] = {
    "role and roles": ({"role": "a"}, "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable"),
    "dots": (
        {"roles": ["a/../b"]},
        "'FrameworkInfo.roles' contains invalid role: Role 'a/../b' cannot include '..' as a component",
    ),
    "dash": (
        {"roles": ["-a"]},
        "'FrameworkInfo.roles' contains invalid role: Role component '-a' is invalid because it starts with a dash",
    ),
    "slash": (
        {"roles": ["a/"]},
        "'FrameworkInfo.roles' contains invalid role: Role 'a/' cannot end with a slash",
    ),
    "two slashes": (
        {"roles": ["a//b"]},
        "'FrameworkInfo.roles' contains invalid role: Role 'a//b' cannot contain two adjacent slashes",
    ),
    "blank": (
        {"roles": ["a b"]},
        "'FrameworkInfo.roles' contains invalid role: Role component 'a b' is invalid because it contains backspace "
        "or whitespace",
    ),
    "roles without MULTI_ROLE": (
        {"capabilities": []},
        "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable",
    ),
    "fail-over time-out": (
        {"failover_timeout": 1e20},
        "The framework failover_timeout (1e+20) is invalid",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_framework_is_refused_on_its_stream(subscribe: Subscribe, name: str) -> None:
    changes, text = REFUSED[name]
    one = subscribe(framework(**changes))
    assert one.stream.status == 200
    one.stream.wait(lambda: one.stream.ended, about="the end of the stream")
    assert one.error == text
    assert one.stream.ended == "clean"


def test_unknown_fields_are_ignored_and_unset_ones_have_their_defaults(subscribe: Subscribe) -> None:
    one = subscribe({"user": "root", "name": "x", "no_such_field": 1})
    assert one.framework_id is not None
    offer = one.offer(lambda held: "allocation_info" not in held)
    assert {resource["role"] for resource in offer["resources"]} == {"*"}


def test_the_stream_id_is_asked_for_and_compared(subscribe: Subscribe) -> None:
    one = subscribe()
    assert one.framework_id is not None
    answer = one.call("REVIVE", Mesos_Stream_Id=None)
    assert (answer.status, answer.text) == (400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header")
    answer = one.call("REVIVE", Mesos_Stream_Id=STRAY_STREAM)
    assert answer.status == 400
    assert answer.text == (
        f"The stream ID '{STRAY_STREAM}' included in this request didn't match the stream ID currently associated "
        f"with framework ID {one.framework_id['value']}"
    )
    answer = one.call("TEARDOWN", Mesos_Stream_Id=STRAY_STREAM)
    assert answer.status == 400
    assert one.call("REVIVE").status == 202
    assert one.stream.ended is None


BODIES = ("ACCEPT", "DECLINE", "KILL", "ACKNOWLEDGE", "ACKNOWLEDGE_OPERATION_STATUS", "RECONCILE",
          "RECONCILE_OPERATIONS", "ACCEPT_INVERSE_OFFERS", "DECLINE_INVERSE_OFFERS", "SHUTDOWN", "MESSAGE", "REQUEST",
          "UPDATE_FRAMEWORK")  # fmt: skip


def test_each_call_needs_its_body(subscribe: Subscribe) -> None:
    one = subscribe()
    for kind in BODIES:
        answer = one.call(kind)
        expected = f"Failed to validate scheduler::Call: Expecting '{kind.lower()}' to be present"
        assert (answer.status, answer.text) == (400, expected)


def test_an_acknowledgement_needs_a_uuid(subscribe: Subscribe) -> None:
    one = subscribe()
    body: Json = {"agent_id": {"value": "x"}, "task_id": {"value": "y"}}
    answer = one.call("ACKNOWLEDGE", {**body, "uuid": "####"})
    assert answer.status == 400
    assert answer.text == (
        "Failed to convert JSON into Call protobuf: Failed to base64 decode bytes field 'uuid': Invalid character '#'"
    )
    answer = one.call("ACKNOWLEDGE", {**body, "uuid": "AAAA"})
    assert (answer.status, answer.text) == (400, "Failed to validate scheduler::Call: Not a valid UUID")
    assert one.call("ACKNOWLEDGE", {**body, "uuid": UUID}).status == 202


def test_the_same_id_again_with_another_user_is_taken_and_the_user_stays(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    other = one.succeeded_by(user="nobody")
    assert other.framework_id == one.framework_id
    one.stream.wait(lambda: one.stream.ended, about="the end of the first stream")
    assert one.error == "Framework failed over"
    assert one.stream.ended == "clean"
    (info,) = [f["framework_info"] for f in master.get("GET_FRAMEWORKS")["frameworks"]]
    assert info["user"] == "root"
    other.teardown()


def test_a_changed_principal_is_refused(subscribe: Subscribe) -> None:
    one = subscribe()
    other = one.succeeded_by(principal="somebody-else")
    other.stream.wait(lambda: other.stream.ended, about="the end of the stream")
    assert other.error == "Changing framework's principal is not allowed."
    assert one.stream.ended is None


def test_framework_ids_in_call_and_info_must_be_the_same(master: Http, recording: Recording) -> None:
    call = {"type": "SUBSCRIBE", "framework_id": {"value": "a"}, "subscribe": {"framework_info": framework()}}
    text = "Failed to validate scheduler::Call: 'framework_id' differs from 'subscribe.framework_info.id'"
    assert posted(master, recording, call) == (400, text)


def test_capabilities_are_as_many_as_the_framework_has(subscribe: Subscribe, master: Http) -> None:
    subscribe()
    (info,) = [f["framework_info"] for f in master.get("GET_FRAMEWORKS")["frameworks"]]
    assert [one["type"] for one in info["capabilities"]] == list(CAPABILITIES)
