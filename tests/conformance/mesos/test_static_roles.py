"""Static reservations, their refinement to a role below, ports, thousandths, and several roles in one framework."""

import pytest

from conformance.mesos.conftest import Subscribe
from conformance.mesos.equipped import CHILD, ROLE, STATIC, kind_of
from conformance.mesos.masters import Mesos
from conformance.mesos.scheduler import Scheduler
from conformance.mesos.things import PRINCIPAL, Json, framework, launch, operation, ports, reservation, scalar, task

REFINED = (STATIC, reservation(CHILD))
OWN = reservation(ROLE)


@pytest.fixture(scope="module")
def mesos(equipped: Mesos) -> Mesos:
    """The master whose agent has resources that are set aside for a role."""
    return equipped


def reserved_for(offer: Json, role: str) -> list[Json]:
    """Return what is reserved for exactly this role."""
    return [r for r in offer["resources"] if r.get("reservations") and r["reservations"][-1]["role"] == role]


def amount(resources: list[Json], name: str) -> float:
    return float(sum(r["scalar"]["value"] for r in resources if r["name"] == name))


def spans(resources: list[Json]) -> list[tuple[int, int]]:
    return [(s["begin"], s["end"]) for r in resources if r["name"] == "ports" for s in r["ranges"]["range"]]


@pytest.mark.parametrize("role", [ROLE, CHILD, "svc", "mysql2"])
def test_what_is_set_aside_is_offered_to_its_role_and_those_below(subscribe: Subscribe, role: str) -> None:
    offer = subscribe(framework(roles=[role])).offer()
    theirs = [r for r in offer["resources"] if r.get("reservations") == [STATIC]]
    kinds = sorted(kind_of(r) or r["name"] for r in theirs)
    assert kinds == (["MOUNT", "ROOT", "cpus", "mem", "ports"] if role in (ROLE, CHILD) else [])


def test_a_volume_is_created_on_what_is_set_aside_as_it_is(subscribe: Subscribe) -> None:
    one = subscribe(framework(roles=[ROLE]))
    info = {"persistence": {"id": "st", "principal": PRINCIPAL}, "volume": {"container_path": "data", "mode": "RW"}}
    volume = {**scalar("disk", 64, STATIC), "disk": info}
    compute = [scalar("cpus", 0.5, STATIC), scalar("mem", 32, STATIC), ports(32000, 32000, STATIC)]
    offer = one.offer()
    running = task("st-1", offer["agent_id"], [*compute, volume], "echo kept > data/file")
    one.accept(offer, operation("CREATE", [volume], "c"), launch(running))
    one.finished("c")
    one.runs_to("TASK_FINISHED", "st-1")
    offer = one.offer()
    one.accept(offer, launch(task("st-2", offer["agent_id"], [*compute, volume], "grep -q kept data/file")))
    one.runs_to("TASK_FINISHED", "st-2")
    one.accept(one.offer(), operation("DESTROY", [volume], "d"))
    one.finished("d")


def test_it_is_refined_for_a_role_below_and_given_back_as_it_was(subscribe: Subscribe) -> None:
    one = subscribe(framework(roles=[CHILD]))
    before = one.offer()
    taken = [
        *(scalar("cpus", 1.5, *REFINED), scalar("mem", 256, *REFINED), scalar("disk", 128, *REFINED)),
        ports(32003, 32004, *REFINED),
    ]
    info = {"persistence": {"id": "rf", "principal": PRINCIPAL}, "volume": {"container_path": "data", "mode": "RW"}}
    volume = {**taken[2], "disk": info}
    one.accept(before, operation("RESERVE", taken, "r"), operation("CREATE", [volume], "c"))
    one.finished("r", "c")
    offer = one.offer()
    assert amount(reserved_for(offer, CHILD), "cpus") == 1.5
    assert amount(reserved_for(offer, ROLE), "cpus") == 1.0
    assert spans(reserved_for(offer, CHILD)) == [(32003, 32004)]
    assert spans(reserved_for(offer, ROLE)) == [(32000, 32002), (32005, 32009)]
    running = task("rf-1", offer["agent_id"], [taken[0], taken[1], taken[3], volume], "echo x > data/file")
    one.accept(offer, launch(running))
    one.runs_to("TASK_FINISHED", "rf-1")
    one.accept(one.offer(), operation("DESTROY", [volume], "d"), operation("UNRESERVE", taken, "u"))
    one.finished("d", "u")
    after = one.offer()
    assert not reserved_for(after, CHILD)
    assert sorted(map(str, after["resources"])) == sorted(map(str, before["resources"]))


def test_what_is_refined_is_not_offered_above(subscribe: Subscribe) -> None:
    below = subscribe(framework(roles=[CHILD]))
    below.accept(below.offer(), operation("RESERVE", [scalar("cpus", 1.5, *REFINED)], "r"))
    below.finished("r")
    below.teardown()
    above = subscribe(framework(roles=[ROLE]))
    offer = above.offer()
    assert amount(reserved_for(offer, ROLE), "cpus") == 1.0
    assert not reserved_for(offer, CHILD)
    above.accept(offer, operation("UNRESERVE", [scalar("cpus", 1.5, *REFINED)], "alien"))
    assert "does not contain" in above.refused("alien")


WRONG: dict[str, tuple[str, Json, str]] = {
    "given back": (
        ROLE,
        operation("UNRESERVE", [scalar("cpus", 1, STATIC)], "x"),
        ("Resource cpus(allocated: mysql)(reservations: [(STATIC,mysql)]):1 is not dynamically reserved"),
    ),
    "given back by a role below": (
        CHILD,
        operation("UNRESERVE", [scalar("cpus", 1, STATIC)], "x"),
        ("Resource cpus(allocated: mysql/db)(reservations: [(STATIC,mysql)]):1 is not dynamically reserved"),
    ),
    "reserved as it is": (
        ROLE,
        operation("RESERVE", [scalar("cpus", 1, STATIC)], "x"),
        ("Resource cpus(allocated: mysql)(reservations: [(STATIC,mysql)]):1 is not dynamically reserved"),
    ),
    "a volume given back": (
        CHILD,
        operation(
            "UNRESERVE",
            [
                {
                    **scalar("disk", 64, *REFINED),
                    "disk": {"persistence": {"id": "v"}, "volume": {"container_path": "data", "mode": "RW"}},
                }
            ],
            "x",
        ),
        (
            "A dynamically reserved persistent volume disk(allocated: mysql/db)(reservations: "
            "[(STATIC,mysql),(DYNAMIC,mysql/db,svc-principal,{owner: t})])[v:data]:64 cannot be "
            "unreserved directly. Please destroy the persistent volume first then unreserve the resource"
        ),
    ),
    "reserved twice for its role": (
        ROLE,
        operation("RESERVE", [scalar("cpus", 1, STATIC, OWN)], "x"),
        (
            "Operation attempted with invalid resources: Resource 'cpus(reservations: "
            "[(STATIC,mysql),(DYNAMIC,mysql,svc-principal,{owner: t})]):1' is invalid: Invalid refined "
            "reservation: role 'mysql' is not a refinement of 'mysql'"
        ),
    ),
    "refined by the role itself": (
        ROLE,
        operation("RESERVE", [scalar("cpus", 1, *REFINED)], "x"),
        (
            "A reserve operation was attempted for a resource with role 'mysql/db', but the resource was "
            "allocated to role 'mysql'"
        ),
    ),
    "refined two levels at once, the upper one missing": (
        CHILD,
        operation("RESERVE", [scalar("cpus", 1, OWN, reservation(CHILD))], "x"),
        (" does not contain cpus(allocated: mysql/db)(reservations: [(DYNAMIC,mysql,svc-principal,{owner: t})]):1"),
    ),
    "refined for another role below": (
        CHILD,
        operation("RESERVE", [scalar("cpus", 1, STATIC, reservation("mysql/other"))], "x"),
        (
            "A reserve operation was attempted for a resource with role 'mysql/other', but the resource "
            "was allocated to role 'mysql/db'"
        ),
    ),
    "more than there is": (
        CHILD,
        operation("RESERVE", [scalar("cpus", 2.501, *REFINED)], "x"),
        " does not contain cpus(allocated: mysql/db)(reservations: [(STATIC,mysql)]):2.501",
    ),
    "ports that are not there": (
        CHILD,
        operation("RESERVE", [ports(32009, 32010, *REFINED)], "x"),
        " does not contain ports(allocated: mysql/db)(reservations: [(STATIC,mysql)]):[32009-32010]",
    ),
    "ports that are nobody's": (
        CHILD,
        operation("RESERVE", [ports(31000, 31000, *REFINED)], "x"),
        " does not contain ports(allocated: mysql/db)(reservations: [(STATIC,mysql)]):[31000-31000]",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_with_it_is_refused_with_its_reason(subscribe: Subscribe, name: str) -> None:
    role, wanted, text = WRONG[name]
    one = subscribe(framework(roles=[role]))
    offer = one.offer()
    one.accept(offer, wanted)
    assert text in one.refused("x")
    again = one.offer()
    assert sorted(map(str, again["resources"])) == sorted(map(str, offer["resources"]))


def test_ports_are_taken_out_of_ranges_and_put_back(subscribe: Subscribe) -> None:
    one = subscribe()
    plain = reservation()
    assert spans(one.offer()["resources"]) == [(31000, 31009), (31020, 31029)]
    apart = {**ports(31003, 31003, plain), "ranges": {"range": [{"begin": 31003, "end": 31003}, *span(31008, 31021)]}}
    one.accept(one.offer(), operation("RESERVE", [apart], "gap"))
    assert "does not contain" in one.refused("gap")
    first, second = ports(31003, 31003, plain), {**ports(0, 0, plain), "ranges": {"range": span(31020, 31021)}}
    one.accept(one.offer(), operation("RESERVE", [first], "r1"), operation("RESERVE", [second], "r2"))
    one.finished("r1", "r2")
    offer = one.offer()
    assert spans(reserved_for(offer, "svc")) == [(31003, 31003), (31020, 31021)]
    free = [r for r in offer["resources"] if "reservations" not in r]
    assert spans(free) == [(31000, 31002), (31004, 31009), (31022, 31029)]
    both = {**first, "ranges": {"range": [*span(31003, 31003), *span(31020, 31021)]}}
    one.accept(offer, operation("UNRESERVE", [both], "u"))
    one.finished("u")
    assert spans(one.offer()["resources"]) == [(31000, 31009), (31020, 31029)]


def span(begin: int, end: int) -> list[Json]:
    return [{"begin": begin, "end": end}]


def test_thousandths_of_what_is_set_aside_add_up(subscribe: Subscribe) -> None:
    one = subscribe(framework(roles=[CHILD]))
    tenths = [operation("RESERVE", [scalar("cpus", part, *REFINED)], f"r{part}") for part in (0.1, 0.2, 0.007)]
    one.accept(one.offer(), *tenths)
    one.finished("r0.1", "r0.2", "r0.007")
    offer = one.offer()
    assert amount(reserved_for(offer, CHILD), "cpus") == 0.307
    assert amount(reserved_for(offer, ROLE), "cpus") == 2.193
    one.accept(offer, operation("UNRESERVE", [scalar("cpus", 0.307, *REFINED)], "u"))
    one.finished("u")
    assert amount(reserved_for(one.offer(), ROLE), "cpus") == 2.5


def in_role(one: Scheduler, role: str) -> Json:
    """Wait for an offer of everything to one role of a framework that has several."""
    others = [other for other in one.info["roles"] if other != role]
    assert one.call("SUPPRESS", {"roles": others}).status == 202
    assert one.call("REVIVE", {"roles": [role]}).status == 202
    return one.offer(lambda offer: offer["allocation_info"]["role"] == role and one.is_whole(offer))


def test_a_framework_in_several_roles_uses_each_where_it_is_offered(subscribe: Subscribe) -> None:
    one = subscribe(framework(roles=["svc", ROLE]))
    offer = in_role(one, "svc")
    one.accept(offer, operation("RESERVE", [scalar("cpus", 1, OWN)], "other-role"))
    assert "a resource with role 'mysql', but the resource was allocated to role 'svc'" in one.refused("other-role")
    offer = in_role(one, "svc")
    one.accept(offer, operation("RESERVE", [scalar("cpus", 1, reservation())], "svc-r"))
    one.finished("svc-r")
    offer = in_role(one, ROLE)
    assert not reserved_for(offer, "svc")
    # Reserving for the static role anew makes no refinement, but another reservation beside the static one.
    one.accept(offer, operation("RESERVE", [scalar("cpus", 1, OWN)], "mysql-r"))
    one.finished("mysql-r")
    offer = in_role(one, ROLE)
    stacks = sorted(
        str([s["type"] for s in r["reservations"]]) for r in reserved_for(offer, ROLE) if r["name"] == "cpus"
    )
    assert stacks == ["['DYNAMIC']", "['STATIC']"]
    mixed = [scalar("cpus", 1, STATIC), {**scalar("cpus", 1, reservation()), "allocation_info": {"role": "svc"}}]
    one.accept(offer, launch(task("mixed", offer["agent_id"], [*mixed, scalar("mem", 32)])))
    assert one.task("mixed", "TASK_ERROR")["reason"] == "REASON_TASK_INVALID"
