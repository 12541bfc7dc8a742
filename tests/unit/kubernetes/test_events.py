"""Events: said once, counted as a series where said again, combined where there would be many."""

import tracemalloc
from collections.abc import Callable
from typing import Any

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.events import Events
from statefuldb.adapters.kubernetes.said import SIMILAR_LIMIT, SIMILAR_SECONDS, Said
from statefuldb.model.conditions import EventReason
from statefuldb.model.plan import Announcement

Json = dict[str, Any]
ABOUT = {"namespace": "shop", "name": "orders", "uid": "1-2-3"}

# What an API server answers where there is no such object.
ABSENT = (404, {"kind": "Status", "reason": "NotFound"})


class Api:
    """A core API that knows Events only."""

    def __init__(self) -> None:
        self.events: dict[str, Json] = {}
        self.calls: list[str] = []
        self.away = False

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        self.calls.append(method)
        if self.away:
            return 503, {}
        name = path.rpartition("/")[2]
        if method == "POST" and body["metadata"]["name"] in self.events:
            return 409, {}
        if method == "POST":
            self.events[body["metadata"]["name"]] = body
            return 201, body
        if name not in self.events:
            return ABSENT
        if method == "PATCH":
            assert content_type == "application/merge-patch+json"
            self.events[name] |= body
        return 200, self.events[name]


class Clockwork:
    """A machine whose time stands still unless it is moved, and whose lanes run at once, but while they are `busy`."""

    seconds = 1_000_000.25

    def __init__(self) -> None:
        self.busy = False
        self.waiting: list[Callable[[], object]] = []

    def now(self) -> float:
        return self.seconds

    def lane(self, name: str) -> Callable[[Callable[[], object]], None]:
        def run(call: Callable[[], object]) -> None:
            if self.busy:
                self.waiting.append(call)
            else:
                call()

        return run


def speaker() -> tuple[Api, Clockwork, Callable[[str], None]]:
    api, machine = Api(), Clockwork()
    events = Events(client_over(api.exchange), "operator-1", machine)  # type: ignore[arg-type]

    def say(message: str) -> None:
        events.announce(ABOUT, Announcement(reason=EventReason.WAITING, message=message))

    return api, machine, say


def test_an_event_names_who_reports_what_and_when_to_the_microsecond() -> None:
    api, _, say = speaker()
    say("no offer fits")
    (event,) = api.events.values()
    assert (event["reportingComponent"], event["reportingInstance"]) == ("statefuldb", "operator-1")
    assert (event["action"], event["reason"]) == ("Reconcile", "Waiting")
    assert event["eventTime"].startswith("1970-01-12T13:46:40.250000")
    assert "series" not in event


def test_an_event_that_waits_behind_others_tells_when_it_was_so() -> None:
    api, machine, say = speaker()
    machine.busy = True
    say("no offer fits")
    machine.seconds += 300
    (send,) = machine.waiting
    send()
    assert [event["eventTime"] for event in api.events.values()] == ["1970-01-12T13:46:40.250000Z"]


def test_what_is_new_costs_one_request() -> None:
    api, _, say = speaker()
    say("no offer fits")
    assert api.calls == ["POST"]


def test_what_is_said_twice_in_a_row_is_said_once() -> None:
    api, _, say = speaker()
    say("no offer fits")
    calls = len(api.calls)
    say("no offer fits")
    assert len(api.calls) == calls


def test_what_is_said_again_is_a_series() -> None:
    api, machine, say = speaker()
    for text in ("no offer fits", "starting", "no offer fits", "starting", "no offer fits"):
        say(text)
        machine.seconds += 1
    counts = {event["message"]: (event["count"], event.get("series", {}).get("count")) for event in api.events.values()}
    assert counts == {"no offer fits": (3, 3), "starting": (2, 2)}
    assert all(event["series"]["lastObservedTime"].endswith(".250000Z") for event in api.events.values())


def test_many_different_texts_of_one_reason_end_in_one_event() -> None:
    api, machine, say = speaker()
    for number in range(50):
        say(f"attempt {number}")
        machine.seconds += 1
    assert len(api.events) == SIMILAR_LIMIT + 1
    combined = [event for event in api.events.values() if event["message"].startswith("(combined")]
    assert [(e["message"], e["series"]["count"]) for e in combined] == [
        ("(combined from similar events): attempt 49", 50 - SIMILAR_LIMIT)
    ]
    machine.seconds += SIMILAR_SECONDS
    say("much later")
    assert len(api.events) == SIMILAR_LIMIT + 2


def test_what_could_not_be_said_is_said_when_it_is_so_still() -> None:
    """What is announced again and again is mostly that something fails, and mostly because the API server does."""
    api, _, say = speaker()
    api.away = True
    say("no offer fits")
    assert api.events == {}
    api.away = False
    say("no offer fits")
    assert len(api.events) == 1


def test_of_databases_that_came_and_went_little_is_kept() -> None:
    """250 a day, each with ten texts of one reason, were a gibibyte in a year."""
    machine, kept = Clockwork(), 50
    said = Said(machine, limit=kept)
    tracemalloc.start()
    try:
        for number in range(2_000):
            for text in (f"database {number} waits for the {nth}th time" for nth in range(SIMILAR_LIMIT)):
                assert not said.again(f"uid-{number}", text)
                assert not said.one_of_many(f"uid-{number}", "Waiting", text)
            machine.seconds += SIMILAR_SECONDS / kept
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 4 * kept * SIMILAR_LIMIT * 200
    assert said.again("uid-1999", f"database 1999 waits for the {SIMILAR_LIMIT - 1}th time")
    assert said.one_of_many("uid-1999", "Waiting", "database 1999 waits for the 10th time")


def test_a_clock_that_is_set_back_does_not_make_one_of_all_that_is_said_from_then_on() -> None:
    api, machine, say = speaker()
    for number in range(SIMILAR_LIMIT):
        say(f"attempt {number}")
    machine.seconds -= 3_600
    say("another attempt")
    assert "another attempt" in [event["message"] for event in api.events.values()]


def test_an_event_is_no_longer_than_the_api_server_takes_whatever_its_script() -> None:
    api, _, say = speaker()
    say("spec.engine.config.параметр: " * 100)
    (event,) = api.events.values()
    assert 900 < len(event["message"].encode()) <= 1024
    assert event["message"].startswith("spec.engine.config.параметр: spec")


def test_a_name_on_a_disk_that_is_no_utf_8_keeps_nothing_from_being_said() -> None:
    api, _, say = speaker()
    say("a file system is mounted at /srv/db/caf\udce9")
    assert [event["message"] for event in api.events.values()] == ["a file system is mounted at /srv/db/caf?"]
