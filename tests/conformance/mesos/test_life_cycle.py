"""The life of a task on a persistent volume, one exchange at a time."""

from conformance.mesos.client import SCHEDULER, Http
from conformance.mesos.conftest import Subscribe
from conformance.mesos.things import BUNDLE, OURS, bundled, framework, launch, operation, scalar, task, volume


def test_subscribed_then_a_heartbeat_then_offers(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    assert one.stream.status == 200
    assert one.stream.id
    one.offer()
    subscribed = one.stream.events[0]
    # An offer may overtake the heartbeat, which another actor of a real master sends.
    told = one.stream.wait(lambda: [e for e in one.stream.events[1:] if e["type"] != "OFFERS"], 5, "a first heartbeat")
    assert subscribed["type"] == "SUBSCRIBED"
    assert subscribed["subscribed"]["heartbeat_interval_seconds"] == 15.0
    assert subscribed["subscribed"]["master_info"]["version"] == "1.11.0"
    assert told[0] == {"type": "HEARTBEAT"}


def test_an_offer_holds_one_agent_for_one_role(subscribe: Subscribe, master: Http) -> None:
    one = subscribe()
    offer = one.offer()
    assert offer["framework_id"] == one.framework_id
    assert offer["allocation_info"] == {"role": "svc"}
    assert {resource["allocation_info"]["role"] for resource in offer["resources"]} == {"svc"}
    assert offer["url"]["scheme"] == "http"
    one.decline(offer)
    again = one.offer(lambda other: other["agent_id"] == offer["agent_id"])
    assert again["id"] != offer["id"]
    assert sorted(map(str, again["resources"])) == sorted(map(str, offer["resources"]))


def test_a_bundle_is_reserved_created_launched_used_again_and_given_back(subscribe: Subscribe) -> None:
    one = subscribe(framework(checkpoint=True))
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, *bundled("task-1", agent, "vol-1", "echo first >> data/log"))
    one.finished("vol-1-r", "vol-1-c")
    done = one.runs_to("TASK_FINISHED", "task-1")
    assert done["message"] == "Command exited with status 0"
    assert "container_id" in done["container_status"]
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    (disk,) = [resource for resource in held["resources"] if "disk" in resource]
    assert disk["disk"]["persistence"]["id"] == "vol-1"
    assert disk["scalar"]["value"] == 512.0
    reserved = {r["name"]: r["scalar"]["value"] for r in held["resources"] if r.get("reservations")}
    assert reserved == {"cpus": 1.0, "mem": 256.0, "disk": 512.0}
    again = task("task-2", agent, [*BUNDLE[:2], disk], "echo second >> data/log; test $(wc -l < data/log) = 2")
    one.accept(held, launch(again))
    one.runs_to("TASK_FINISHED", "task-2")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    one.accept(held, operation("DESTROY", [volume("vol-1")], "gone"), operation("UNRESERVE", BUNDLE, "back"))
    one.finished("gone", "back")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    assert not [resource for resource in held["resources"] if resource.get("reservations")]


def test_what_a_volume_holds_is_neither_unreserved_nor_found_under_another_name(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, operation("RESERVE", BUNDLE, "r"), operation("CREATE", [volume("vol-1")], "c"))
    one.finished("r", "c")
    held = one.offer(lambda other: other["agent_id"] == agent and one.is_whole(other))
    unknown = operation("DESTROY", [volume("no-such-volume")], "bad-destroy")
    one.accept(held, operation("UNRESERVE", [scalar("disk", 512, OURS)], "bad-unreserve"), unknown)
    wanted = "disk(allocated: svc)(reservations: [(DYNAMIC,svc,svc-principal,{owner: t})]):512"
    assert one.refused("bad-unreserve").endswith(f" does not contain {wanted}")
    assert one.refused("bad-destroy").startswith("Persistent volumes not found; on agent ")


def test_teardown_ends_the_stream_and_the_id_for_ever(subscribe: Subscribe) -> None:
    one = subscribe()
    one.teardown()
    again = one.succeeded_by()
    again.stream.wait(lambda: again.stream.ended, about="the end of the stream")
    assert again.stream.status == 200
    assert again.error == "Framework has been removed"
    assert again.stream.ended == "clean"


def test_the_master_answers_the_scheduler_endpoint_to_post_only(master: Http) -> None:
    answer = master.send("GET", SCHEDULER)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert answer.text == "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'."
