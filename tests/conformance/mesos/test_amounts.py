"""Amounts in an ACCEPT, how they are reckoned with and shown, and what of them is reserved together."""

from conformance.mesos.conftest import Subscribe
from conformance.mesos.things import (
    OURS,
    PLAIN,
    PRINCIPAL,
    cpus,
    framework,
    operation,
    ports,
    reservation,
    scalar,
)


def test_scalars_have_three_decimals_and_no_trouble_with_floats(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    agent = offer["agent_id"]
    one.accept(offer, operation("RESERVE", cpus(0.33333, PLAIN), "n1"), operation("RESERVE", cpus(0.1, OURS), "n2"))
    one.finished("n1", "n2")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    sizes = sorted(r["scalar"]["value"] for r in held["resources"] if r["name"] == "cpus")
    # What was reserved is shown as it was written; what is left of it is not.
    assert sizes == [0.1, 0.33333, 3.567]
    one.accept(held, operation("RESERVE", cpus(0.1, OURS), "n3"), operation("UNRESERVE", cpus(0.33333, PLAIN), "n4"))
    one.finished("n3", "n4")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == agent)
    assert sorted(r["scalar"]["value"] for r in held["resources"] if r["name"] == "cpus") == [0.2, 3.8]


def test_ports_are_reserved_as_ranges(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    (offered,) = [r for r in offer["resources"] if r["name"] == "ports"]
    begin, end = offered["ranges"]["range"][0]["begin"], offered["ranges"]["range"][0]["end"]
    one.accept(offer, operation("RESERVE", [ports(begin + 10, begin + 12, PLAIN)], "n6"))
    one.finished("n6")
    held = one.offer(lambda other: one.is_whole(other) and other["agent_id"] == offer["agent_id"])
    (rest,) = [r for r in held["resources"] if r["name"] == "ports" and not r.get("reservations")]
    assert rest["ranges"]["range"] == [{"begin": begin, "end": begin + 9}, {"begin": begin + 13, "end": end}]
    (mine,) = [r for r in held["resources"] if r["name"] == "ports" and r.get("reservations")]
    assert mine["ranges"]["range"] == [{"begin": begin + 10, "end": begin + 12}]


def test_a_number_may_be_a_string(subscribe: Subscribe) -> None:
    one = subscribe()
    written = {**scalar("cpus", 1, PLAIN), "scalar": {"value": "1"}}
    one.accept(one.offer(), operation("RESERVE", [written], "n7"))
    one.finished("n7")


def test_equal_reservations_merge_and_labels_keep_them_apart(subscribe: Subscribe) -> None:
    one = subscribe()
    offer = one.offer()
    other = reservation(labels={"labels": [{"key": "owner", "value": "other"}]})
    disks = [("a", 256, OURS), ("b", 256, OURS), ("c", 100, other)]
    one.accept(offer, *(operation("RESERVE", [scalar("disk", size, how)], name) for name, size, how in disks))
    one.finished("a", "b", "c")
    held = one.offer(lambda again: one.is_whole(again) and again["agent_id"] == offer["agent_id"])
    sizes = [r["scalar"]["value"] for r in held["resources"] if r["name"] == "disk" and r.get("reservations")]
    assert sorted(sizes) == [100.0, 512.0]


def test_a_framework_without_a_principal_reserves_without_one(subscribe: Subscribe) -> None:
    one = subscribe(framework(principal=None))
    offer = one.offer()
    one.accept(offer, operation("RESERVE", cpus(1, reservation(principal=None)), "r"))
    one.finished("r")
    held = one.offer(lambda again: one.is_whole(again) and again["agent_id"] == offer["agent_id"])
    (mine,) = [r for r in held["resources"] if r.get("reservations")]
    assert "principal" not in mine["reservations"][0]
    assert PRINCIPAL not in str(mine)
