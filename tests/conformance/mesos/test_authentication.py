"""A master that asks for credentials, of frameworks and of operators."""

from collections.abc import Iterator

import pytest

from conformance.mesos.client import OPERATOR, SCHEDULER, Answer, Http, Json
from conformance.mesos.conftest import MASTERS, Subscribe, opened
from conformance.mesos.credentials import ASKING, COLON, GUEST, basic, credentials
from conformance.mesos.masters import Mesos
from conformance.mesos.recording import Recording
from conformance.mesos.things import PRINCIPAL, framework

OURS = basic(PRINCIPAL)


@pytest.fixture(scope="module", params=MASTERS)
def mesos(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesos]:
    """Yield a master that asks frameworks and operators for credentials."""
    known = credentials(tmp_path_factory.mktemp("credentials") / "credentials.json")
    with opened(request, tmp_path_factory, authorization=OURS, flags={"credentials": known, **ASKING}) as one:
        yield one


def subscription(**info: str | None) -> Json:
    return {"type": "SUBSCRIBE", "subscribe": {"framework_info": framework(**info)}}


@pytest.mark.parametrize(
    "header",
    [
        None,
        basic(PRINCIPAL, "wrong"),
        basic("nobody", "s3cret"),
        "Bearer s3cret",
        "Basic ???",
        OURS.lower(),
        basic(COLON),
    ],
    ids=["none", "wrong-secret", "unknown-principal", "other-scheme", "no-base64", "not-as-written", "colon-in-secret"],
)
def test_without_the_right_credentials_nobody_is_heard(master: Http, recording: Recording, header: str | None) -> None:
    def told(method: str, path: str, body: Json | None = None, **headers: str | None) -> Answer:
        answer = master.send(method, path, body, Authorization=header, **headers)
        recording.call(body, answer.status, answer.text)
        return answer

    for answer in (
        told("POST", SCHEDULER, subscription()),
        told("POST", SCHEDULER, {"type": "REVIVE", "framework_id": {"value": "no such"}}),
        told("GET", SCHEDULER),
        told("POST", SCHEDULER, subscription(), Content_Type="text/plain"),
    ):
        assert (answer.status, answer.text) == (401, "401 Unauthorized.")
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="mesos-master-scheduler"'
    answer = told("POST", OPERATOR, {"type": "GET_AGENTS"})
    assert (answer.status, answer.text) == (401, "401 Unauthorized.")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="mesos-master-readwrite"'
    assert master.send("GET", "/health", Authorization=header).status == 200


def test_with_credentials_all_is_as_without(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    assert one.error is None
    assert one.offer()["agent_id"]
    assert master.ask("GET_AGENTS").status == 200
    one.teardown()


def test_a_framework_is_who_its_credentials_say(subscribe: Subscribe, master: Http, recording: Recording) -> None:
    other = subscription(principal="other")
    answer = master.send("POST", SCHEDULER, other)
    recording.call(other, answer.status, answer.text)
    assert answer.status == 400
    assert answer.text == (
        f"Failed to validate scheduler::Call: Authenticated principal '{PRINCIPAL}' does not match principal 'other' "
        "set in `FrameworkInfo`"
    )
    unsaid = subscribe(framework(principal=None))
    found = master.get("GET_FRAMEWORKS")["frameworks"]
    (mine,) = [one["framework_info"] for one in found if one["framework_info"]["id"] == unsaid.framework_id]
    assert mine["principal"] == PRINCIPAL


def test_nobody_speaks_for_a_framework_of_another(subscribe: Subscribe) -> None:
    one = subscribe()
    for kind in ("SUPPRESS", "TEARDOWN"):
        answer = one.call(kind, Authorization=basic(GUEST))
        assert answer.status == 400
        assert answer.text == (
            f"Authenticated principal '{GUEST}' does not match principal '{PRINCIPAL}' set in `FrameworkInfo`"
        )
        assert one.call(kind, Authorization=None).status == 401
    assert one.call("SUPPRESS").status == 202
    assert one.stream.ended is None
