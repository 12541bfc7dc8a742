"""Operations that are refused, each with what is wrong with it."""

import pytest

from conformance.mesos.conftest import Subscribe
from conformance.mesos.scheduler import unchanged
from conformance.mesos.things import (
    OURS,
    PLAIN,
    Json,
    cpus,
    operation,
    ports,
    reservation,
    scalar,
    volume,
)

RESERVED = "(reservations: [(DYNAMIC,svc,svc-principal,{owner: t})])"
UNLABELLED = "(reservations: [(DYNAMIC,svc,svc-principal)])"
PROVIDERS = "Invalid resources: The resources have multiple resource providers: "


REFUSED: dict[str, tuple[Json, str]] = {
    "for a role that it does not have": (
        operation("RESERVE", cpus(1, reservation("other")), "x"),
        "A reserve operation was attempted for a resource with role 'other', but the resource was allocated to role "
        "'svc'",
    ),
    "with another principal": (
        operation("RESERVE", cpus(1, reservation(principal="someone-else")), "x"),
        "A reserve operation was attempted by authenticated principal 'svc-principal', which does not match a reserved "
        "resource in the request with principal 'someone-else'",
    ),
    "without a principal": (
        operation("RESERVE", cpus(0.1, reservation(principal=None, labels=None)), "x"),
        "A reserve operation was attempted by principal 'svc-principal', but there is a reserved resource in the "
        "request with no principal set",
    ),
    "of what is not reserved": (
        operation("RESERVE", cpus(1), "x"),
        "Resource cpus(allocated: svc):1 is not dynamically reserved",
    ),
    "of nothing": (operation("RESERVE", [], "x"), PROVIDERS),
    "back of nothing": (operation("UNRESERVE", [], "x"), PROVIDERS),
    "no volume": (operation("CREATE", [], "x"), PROVIDERS),
    "no volume to destroy": (operation("DESTROY", [], "x"), PROVIDERS),
    "back of a static reservation": (
        operation("UNRESERVE", cpus(1, {"type": "STATIC", "role": "svc"}), "x"),
        "Resource cpus(allocated: svc)(reservations: [(STATIC,svc)]):1 is not dynamically reserved",
    ),
    "back of a volume": (
        operation("UNRESERVE", [volume("v")], "x"),
        f"A dynamically reserved persistent volume disk(allocated: svc){RESERVED}[v:data]:512 cannot be unreserved "
        "directly. Please destroy the persistent volume first then unreserve the resource",
    ),
    "a volume of unreserved disk": (
        operation("CREATE", [{k: v for k, v in volume("v", 64).items() if k != "reservations"}], "x"),
        "Invalid resources: Invalid DiskInfo: Persistent volumes cannot be created from unreserved resources",
    ),
    "an id with a slash": (
        operation("CREATE", [volume("a/b")], "x"),
        "Invalid resources: Invalid DiskInfo: Invalid persistence ID for persistent volume: 'a/b' contains invalid "
        "characters",
    ),
    "a volume without its path": (
        operation("CREATE", [{**scalar("disk", 64, OURS), "disk": {"persistence": {"id": "v"}}}], "x"),
        "Invalid resources: Invalid DiskInfo: Expecting 'volume' to be set for persistent volume",
    ),
    "a volume that cannot be written": (
        operation("CREATE", [volume("v", volume={"container_path": "data", "mode": "RO"})], "x"),
        "Not a persistent volume: Read-only persistent volume not supported",
    ),
    "a volume with a host path": (
        operation("CREATE", [volume("v", volume={"container_path": "d", "host_path": "/d", "mode": "RW"})], "x"),
        "Invalid resources: Invalid DiskInfo: Expecting 'host_path' to be unset for persistent volume",
    ),
    "disk that is no volume": (
        operation("CREATE", [scalar("disk", 64, OURS)], "x"),
        f"Not a persistent volume: Resource disk(allocated: svc){RESERVED}:64 does not have DiskInfo",
    ),
    "a volume of another principal": (
        operation("CREATE", [volume("v", persistence={"id": "v", "principal": "other"})], "x"),
        "Create volume operation attempted by authenticated principal 'svc-principal', which does not match a volume "
        "in the operation with principal 'other' set in 'disk.persistence'",
    ),
    "a volume of no principal": (
        operation("CREATE", [volume("v", persistence={"id": "v"})], "x"),
        "Create volume operation attempted by principal 'svc-principal', but there is a volume in the operation with "
        "no principal set in 'disk.persistence'",
    ),
    "a shared volume": (
        operation("CREATE", [{**volume("v"), "shared": {}}], "x"),
        f"Create volume operation for 'disk(allocated: svc){RESERVED}[v:data]<SHARED>:512' has been attempted by "
        "framework '{framework}' with no SHARED_RESOURCES capability",
    ),
    "an unknown volume": (operation("DESTROY", [volume("v")], "x"), "Persistent volumes not found"),
    "two roles": (
        operation("RESERVE", [{**cpus(1, OURS)[0], "allocation_info": {"role": "other"}}], "x"),
        "A reserve operation was attempted for a resource with role 'svc', but the resource was allocated to role "
        "'other'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_operation_is_refused_with_its_reason_and_agent(subscribe: Subscribe, name: str) -> None:
    one = subscribe()
    assert one.framework_id is not None
    offer = one.offer()
    wanted, text = REFUSED[name]
    one.accept(offer, wanted)
    agent = offer["agent_id"]["value"]
    expected = text.replace("{framework}", one.framework_id["value"])
    assert one.refused("x").startswith(f"{expected}; on agent {agent} at slave(")
    unchanged(one, offer)


INVALID: dict[str, tuple[Json, str]] = {
    "a negative amount": (
        operation("RESERVE", cpus(-1, PLAIN), "x"),
        f"Resource 'cpus{UNLABELLED}:-1' is invalid: Invalid scalar resource: value <= 0",
    ),
    "less than a thousandth": (
        operation("RESERVE", cpus(0.0004, PLAIN), "x"),
        f"Resource 'cpus{UNLABELLED}:0' is invalid: Invalid scalar resource: value <= 0",
    ),
    "for everybody": (
        operation("RESERVE", cpus(1, reservation("*", labels=None)), "x"),
        "Resource 'cpus(reservations: [(DYNAMIC,*,svc-principal)]):1' is invalid: Invalid reservation: role \"*\" "
        "cannot be reserved",
    ),
    "refined for a role that is not below": (
        operation("RESERVE", cpus(1, PLAIN, reservation("other", labels=None)), "x"),
        "Resource 'cpus(reservations: [(DYNAMIC,svc,svc-principal),(DYNAMIC,other,svc-principal)]):1' is invalid: "
        "Invalid refined reservation: role 'other' is not a refinement of 'svc'",
    ),
    "refined for itself": (
        operation("RESERVE", cpus(1, {"type": "STATIC", "role": "svc"}, PLAIN), "x"),
        "Resource 'cpus(reservations: [(STATIC,svc),(DYNAMIC,svc,svc-principal)]):1' is invalid: Invalid refined "
        "reservation: role 'svc' is not a refinement of 'svc'",
    ),
    "a static refinement": (
        operation("RESERVE", cpus(1, PLAIN, {"type": "STATIC", "role": "svc/db"}), "x"),
        "Resource 'cpus(reservations: [(DYNAMIC,svc,svc-principal),(STATIC,svc/db)]):1' is invalid: Invalid refined "
        "reservation: A refined reservation cannot be STATIC",
    ),
    "overlapping ports": (
        operation(
            "RESERVE",
            [{**ports(1, 2, PLAIN), "ranges": {"range": [{"begin": 1, "end": 5}, {"begin": 5, "end": 6}]}}],
            "x",
        ),
        "Resource 'ports(reservations: [(DYNAMIC,svc,svc-principal)]):[1-5, 5-6]' is invalid: Invalid ranges resource: "
        "overlapping ranges",
    ),
    "disk of no disk": (
        operation("CREATE", [{**volume("v"), "name": "mem"}], "x"),
        f"Resource 'mem{RESERVED}[v:data]:512' is invalid: DiskInfo should not be set for mem resource",
    ),
    "no body": (
        {"type": "RESERVE", "id": {"value": "x"}},
        "A RESERVE offer operation must have the Offer.Operation.reserve field set.",
    ),
    "an update": (
        {
            **operation("RESERVE", cpus(1, PLAIN), "x"),
            "reserve": {"resources": cpus(1, PLAIN), "source": cpus(1, OURS)},
        },
        "Reservation updates are not yet implemented for the scheduler API.",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_is_no_operation_is_refused_as_such(subscribe: Subscribe, name: str) -> None:
    one = subscribe()
    offer = one.offer()
    wanted, text = INVALID[name]
    one.accept(offer, wanted)
    assert one.refused("x") == f"Operation attempted with invalid resources: {text}"
    unchanged(one, offer)
