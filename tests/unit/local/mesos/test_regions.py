"""Regions (Mesos docs, fault-domains). The real Mesos of the tests is one process, which has one domain only."""

from typing import Any

import pytest

from statefuldb.local.mesos.master.cluster import Cluster
from statefuldb.local.mesos.master.effects import ToFramework
from statefuldb.local.mesos.master.master import Master

Json = dict[str, Any]


def domain(region: str) -> Json:
    return {"fault_domain": {"region": {"name": region}, "zone": {"name": "z"}}}


@pytest.mark.parametrize(
    ("region", "aware", "offered"), [("eu", False, True), ("us", False, False), ("us", True, True), (None, False, True)]
)
def test_another_region_is_offered_to_those_that_know_of_regions(
    region: str | None, aware: bool, offered: bool
) -> None:
    cluster = Cluster(master_id="m", domain=domain("eu"))
    master = Master(cluster, address="127.0.0.1", port=5050, unreachable_seconds=75)
    info: Json = {"hostname": "h", "ip": "127.0.0.1", "port": 5051}
    if region is not None:
        info["domain"] = domain(region)
    master.agents.register({"info": info, "total": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 4}}]}, 0)
    capabilities = [{"type": name} for name in ("MULTI_ROLE", "RESERVATION_REFINEMENT", "REGION_AWARE")]
    framework = {"user": "u", "name": "f", "roles": ["r"], "capabilities": capabilities[: 3 if aware else 2]}
    master.subscribe({"subscribe": {"framework_info": framework}}, "stream", 0)
    master.tick(1)
    events = [effect.event for effect in cluster.outbox if isinstance(effect, ToFramework)]
    offers = [offer for event in events if event["type"] == "OFFERS" for offer in event["offers"]["offers"]]
    assert [offer.get("domain") for offer in offers] == ([info.get("domain")] if offered else [])
