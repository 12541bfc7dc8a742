"""The operator's own record: made at the first start, and never beside what another installation left."""

import threading
from typing import Any

import pytest

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.framework import FrameworkRecord
from statefuldb.model.remains import Remains
from statefuldb.model.spec import Strategy
from statefuldb.model.volume_object import to_object
from statefuldb.reconcile.ports import EffectFailed, NotAnswered, Superseded
from unit.kubernetes.test_events import ABSENT
from unit.planning.members.test_strays import serving
from unit.planning.world import CLUSTER

FRESH = "ffffffff-bbbb-cccc-dddd-eeeeeeeeeeee"


class Api:
    """An API that has a ledger, or serves none yet (`entries` is None), and keeps the record that is made."""

    def __init__(self, entries: list[dict[str, object]] | None) -> None:
        self.entries = entries
        self.record: dict[str, Any] | None = None
        self.defined = False

    def exchange(self, method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if "/customresourcedefinitions/" in path:
            return (200, {"metadata": {"name": "databasevolumes.statefuldb.dev"}}) if self.defined else ABSENT
        if path.partition("?")[0].endswith("/databasevolumes"):
            if self.entries is None:
                return 404, "404 page not found\n"
            return 200, {"items": self.entries, "metadata": {"resourceVersion": "7"}}
        if method in ("POST", "PUT"):
            self.record = body
        return ABSENT if self.record is None else (200, self.record)


class Machine:
    seconds = 1_000.0

    def lock(self) -> threading.Lock:
        return threading.Lock()

    def fresh_uuid(self) -> str:
        return FRESH

    def now(self) -> float:
        return self.seconds


def record_in(api: Api) -> FrameworkRecord:
    return FrameworkRecord(client_over(api.exchange), "system", Machine())  # type: ignore[arg-type]


def begin(api: Api) -> tuple[str, str | None, int]:
    return record_in(api).begin(lambda: None)


def test_the_first_start_makes_a_cluster_and_the_next_one_finds_it() -> None:
    api = Api([])
    assert begin(api) == (FRESH, None, 1_000)
    assert begin(api) == (FRESH, None, 1_001)


@pytest.mark.parametrize("framework_id", ["", "f-1"])
def test_nothing_begins_beside_what_an_earlier_installation_left_and_the_way_out_is_told(framework_id: str) -> None:
    """Simulator, seed 62641: the framework was removed, its volumes were not, and databases began beside them."""
    api, left = Api([]), Remains(seen="agents hold data", cluster=CLUSTER, framework_id=framework_id)
    with pytest.raises(EffectFailed) as refused:
        record_in(api).begin(lambda: left)
    assert api.record is None
    told = str(refused.value)
    assert "is not there, but agents hold data" in told
    assert f"--from-literal=cluster={CLUSTER}; " in told
    assert ("frameworkId=f-1" in told) == bool(framework_id)


def test_a_record_put_back_from_its_backup_makes_no_epoch_that_keepers_have_seen_the_like_of() -> None:
    """They would answer 409 to each credential, and databases that restart would wait for theirs."""
    api, machine = Api([]), Machine()
    record = FrameworkRecord(client_over(api.exchange), "system", machine)  # type: ignore[arg-type]
    record.begin(lambda: None)
    backup = api.record
    seen = [record.begin(lambda: None)[2] for _ in range(3)]
    api.record = backup
    machine.seconds += 60.0
    assert record.begin(lambda: None)[2] > max(seen)


def test_an_epoch_rises_above_what_a_keeper_has_seen_where_nobody_has_begun_since() -> None:
    """The clock was ahead at an earlier start, and the record was put back from a backup of before."""
    api = Api([])
    record = record_in(api)
    _, _, epoch = record.begin(lambda: None)
    assert record.epoch_above(epoch - 1) == epoch
    assert record.epoch_above(5_000) == 5_001
    assert begin(api)[2] == 5_002, "it is written down"
    with pytest.raises(Superseded, match="5001 is not the last"):
        record.epoch_above(6_000)


def test_it_says_when_a_person_restored_the_api() -> None:
    api, machine = Api([]), Machine()
    machine.seconds = 1_799_990_000.0
    record = FrameworkRecord(client_over(api.exchange), "system", machine)  # type: ignore[arg-type]
    record.begin(lambda: None)
    assert record.restored_at == 0
    assert api.record is not None
    api.record["data"]["restoredAt"] = "1800000000"
    record.begin(lambda: None)
    assert record.restored_at == 1_800_000_000, "a clock may be behind"
    # What is begun before that time waits for a person: no time that is to come will do.
    for wrong in ("2027-01-15", "1800000000000", "1800100000"):
        api.record["data"]["restoredAt"] = wrong
        with pytest.raises(EffectFailed, match="restoredAt of ConfigMap statefuldb-framework in namespace system"):
            record.begin(lambda: None)


@pytest.mark.parametrize(("field", "value"), [("epoch", "many"), ("epoch", ""), ("cluster", ""), ("cluster", None)])
def test_a_record_that_somebody_damaged_is_refused_by_the_name_of_its_field(field: str, value: str | None) -> None:
    api = Api([])
    begin(api)
    assert api.record is not None
    api.record["data"][field] = value
    if value is None:
        del api.record["data"][field]
    before = dict(api.record["data"])
    with pytest.raises(
        EffectFailed, match=rf"data\.{field} of ConfigMap statefuldb-framework in namespace system must"
    ):
        begin(api)
    assert api.record["data"] == before


@pytest.mark.parametrize("data", [None, {"ca.pem": "UEVN"}, {"ca.pem": "UEVN", "client.pem": "?"}])
def test_a_damaged_identity_is_refused_with_what_it_must_hold(data: dict[str, str] | None) -> None:
    api = Api([])
    api.record = {"data": data}
    with pytest.raises(EffectFailed, match=r"must hold ca\.pem and client\.pem"):
        record_in(api).certificates(lambda: ("new", "new"))


def test_of_two_that_begin_at_once_the_second_takes_the_first_ones_framework_out_of_no_record() -> None:
    """What runs under a framework that no operator knows any more is looked after by nobody, and called gone."""
    api = Api([])
    begin(api)
    record_in(api).save_framework_id("first")
    with pytest.raises(Superseded, match="framework first, and this one is second"):
        record_in(api).save_framework_id("second")
    assert begin(api) == (FRESH, "first", 1_001)
    record_in(api).save_framework_id("first")


def test_a_ledger_without_the_record_it_belongs_to_is_not_begun_upon() -> None:
    api = Api([to_object(serving(Strategy.HOST_PATH))])
    with pytest.raises(EffectFailed, match=f"--from-literal=cluster={CLUSTER}"):
        begin(api)
    assert api.record is None


def test_a_ledger_that_is_not_served_now_is_waited_for_and_one_that_was_never_defined_is_none() -> None:
    api = Api(None)
    api.defined = True
    with pytest.raises(NotAnswered, match="not served now"):
        begin(api)
    assert api.record is None
    api.defined = False
    assert begin(api) == (FRESH, None, 1_000)
