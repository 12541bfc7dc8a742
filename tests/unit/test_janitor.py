"""The janitor gives back what is ours and nothing else, whatever the master answers at first (law `ours_only`)."""

import copy
from typing import Any

import pytest

from statefuldb.adapters.mesos.guard import UnsafeRequest
from statefuldb.adapters.mesos.janitor import Framework, Holding, Janitor, check_ours
from statefuldb.adapters.mesos.master_api import AnsweredNo, MasterApi
from statefuldb.model.identity import DataIdentity, ReservationLabels

Json = dict[str, Any]
OURS, THEIRS = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "aaaaaaaa-bbbb-cccc-dddd-ffffffffffff"
UID = "11111111-2222-3333-4444-555555555555"
IDENTITY = DataIdentity(cluster=OURS, uid=UID, ordinal=0)


def labels(cluster: str) -> list[Json]:
    identity = DataIdentity(cluster=cluster, uid=UID, ordinal=0)
    pairs = ReservationLabels(identity=identity, namespace="shop", name="orders", reservation="first").as_pairs()
    return [{"key": key, "value": value} for key, value in pairs]


def resource(name: str, labelled: list[Json] | None, volume: str | None = None, *, reserved: bool = True) -> Json:
    made: Json = {"name": name, "type": "SCALAR", "scalar": {"value": 512.0}}
    if reserved:
        made["reservations"] = [{"type": "DYNAMIC", "role": "statefuldb", "principal": "statefuldb"}]
        if labelled is not None:
            made["reservations"][0]["labels"] = {"labels": labelled}
    if volume is not None:
        made["disk"] = {"persistence": {"id": volume}, "volume": {"container_path": "data", "mode": "RW"}}
    return made


def foreign() -> list[Json]:
    """Return what a janitor must not touch: another cluster's, another framework's in our role, nobody's."""
    return [
        resource("disk", labels(THEIRS), f"sdb.{THEIRS}.{UID}.0.1"),
        resource("cpus", labels(THEIRS)),
        resource("mem", None),
        resource("disk", [{"key": "statefuldb.dev/cluster", "value": OURS}], "half-labelled"),
        resource("disk", None, "someone-elses"),
        resource("cpus", None, reserved=False),
    ]


class ScriptedMaster(MasterApi):
    """One agent. The first `deaf` calls are taken without effect, the first `busy` answered with 409."""

    def __init__(self, resources: list[Json], *, deaf: int = 0, busy: int = 0) -> None:
        self.resources = resources
        self.deaf, self.busy = deaf, busy
        self.sent: list[tuple[str, list[Json]]] = []
        self.running = {"ours": OURS, "theirs": THEIRS}

    def agents(self) -> list[Json]:
        info = {"id": {"value": "S0"}, "hostname": "agent-1"}
        return [{"agent_info": info, "total_resources": copy.deepcopy(self.resources)}]

    def frameworks(self) -> list[Json]:
        return [
            {
                "framework_info": {
                    "id": {"value": framework},
                    "name": "statefuldb",
                    "roles": ["statefuldb"],
                    "labels": {"labels": [{"key": "statefuldb.dev/cluster", "value": cluster}]},
                },
                "connected": False,
            }
            for framework, cluster in self.running.items()
        ]

    def destroy_volumes(self, agent_id: str, volumes: list[Json]) -> None:
        if self._takes("DESTROY", volumes):
            for volume in volumes:
                self.resources.remove(volume)
                self.resources.append({k: v for k, v in volume.items() if k != "disk"})

    def unreserve(self, agent_id: str, resources: list[Json]) -> None:
        assert not any("disk" in r for r in resources), "UNRESERVE before DESTROY"
        if self._takes("UNRESERVE", resources):
            for each in resources:
                self.resources.remove(each)

    def teardown(self, framework_id: str) -> None:
        del self.running[framework_id]

    def _takes(self, kind: str, resources: list[Json]) -> bool:
        self.sent.append((kind, resources))
        if self.busy > 0:
            self.busy -= 1
            raise AnsweredNo("409 Conflict: does not contain disk", status=409, leader="")
        self.deaf -= 1
        return self.deaf < 0


def janitor(master: MasterApi) -> Janitor:
    return Janitor(master=master, cluster=OURS, pause=lambda _: None)


@pytest.mark.parametrize(("deaf", "busy"), [(0, 0), (2, 0), (0, 3), (1, 1)])
def test_ours_goes_and_the_rest_stays_whatever_the_master_answers_at_first(deaf: int, busy: int) -> None:
    mine = [resource("disk", labels(OURS), f"sdb.{OURS}.{UID}.0.1"), resource("cpus", labels(OURS))]
    master = ScriptedMaster([*mine, *foreign()], deaf=deaf, busy=busy)
    assert janitor(master).sweep(frozenset({IDENTITY}), 30.0) == ()
    assert master.resources == foreign()
    untouchable = foreign()
    assert not [r for _, resources in master.sent for r in resources if r in untouchable]


def test_a_volume_on_a_static_reservation_is_destroyed_and_its_disk_left_reserved() -> None:
    static = {"type": "STATIC", "role": "statefuldb"}
    bare = {"name": "disk", "type": "SCALAR", "scalar": {"value": 512.0}, "reservations": [static]}
    volume = {**bare, "disk": {"persistence": {"id": f"sdb.{OURS}.{UID}.0.1"}, "volume": {"container_path": "data"}}}
    master = ScriptedMaster([volume])
    assert janitor(master).sweep(frozenset({IDENTITY}), 30.0) == ()
    assert master.resources == [bare]


def test_what_was_not_confirmed_stays() -> None:
    master = ScriptedMaster([resource("cpus", labels(OURS))])
    other = DataIdentity(cluster=OURS, uid=UID, ordinal=1)
    assert janitor(master).sweep(frozenset({other}), 30.0) == ()
    assert not master.sent
    assert [str(held) for held in janitor(master).holdings()] == ["agent-1: cpus 512"]


def test_what_stays_in_use_is_named_with_the_masters_answer() -> None:
    master = ScriptedMaster([resource("cpus", labels(OURS))], busy=1000)
    (left,) = janitor(master).sweep(frozenset({IDENTITY}), 0.0)
    assert "cpus 512" in left
    assert "409" in left


@pytest.mark.parametrize("stranger", foreign(), ids=lambda r: str(r.get("reservations", "unreserved"))[-60:])
def test_a_janitor_that_was_led_astray_sends_nothing(stranger: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the law on purpose: hand over what is not ours as if it had been found by our label."""
    with pytest.raises(UnsafeRequest):
        check_ours([resource("cpus", labels(OURS)), stranger], OURS)
    master = ScriptedMaster([stranger])
    astray = Holding(agent_id="S0", hostname="agent-1", resources=(stranger,))
    monkeypatch.setattr(Janitor, "holdings", lambda *_: (astray,))
    with pytest.raises(UnsafeRequest, match="not ours"):
        janitor(master).sweep(frozenset({IDENTITY}), 0.0)
    assert not master.sent


def test_only_frameworks_with_our_label_are_ours() -> None:
    master = ScriptedMaster([])
    (found,) = janitor(master).frameworks()
    assert found == Framework(id="ours", name="statefuldb", roles=("statefuldb",), connected=False)
    assert janitor(master).teardown(found, 0.0)
    assert set(master.running) == {"theirs"}
