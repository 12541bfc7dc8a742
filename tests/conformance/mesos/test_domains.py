"""Attributes of each type and fault domains, as an agent was started with them (Mesos docs, fault-domains)."""

import pytest

from conformance.mesos.client import Http
from conformance.mesos.conftest import Subscribe
from conformance.mesos.equipped import DOMAIN
from conformance.mesos.masters import Mesos
from conformance.mesos.recording import Recording
from conformance.mesos.things import CAPABILITIES, framework


@pytest.fixture(scope="module")
def mesos(equipped: Mesos) -> Mesos:
    """The master whose agent has attributes of each type and a domain."""
    return equipped


def test_offers_and_the_operator_api_name_attributes_and_domain(
    subscribe: Subscribe, master: Http, recording: Recording
) -> None:
    offer = subscribe().offer()
    assert {one["name"]: one[one["type"].lower()] for one in offer["attributes"]} == {
        "rack": {"value": "r1"},
        "speed": {"value": 2.5},
        "slots": {"range": [{"begin": 1, "end": 4}, {"begin": 8, "end": 9}]},
        "site": {"value": "ab"},
        "dotted": {"value": "10.0.0.1"},
    }
    assert offer["domain"] == DOMAIN
    (agent,) = master.get("GET_AGENTS")["agents"]
    assert agent["agent_info"]["domain"] == DOMAIN
    assert agent["agent_info"]["attributes"] == offer["attributes"]
    recording.seen("agent", agent["agent_info"])
    assert master.get("GET_MASTER")["master_info"]["domain"] == DOMAIN


def test_an_agent_in_the_masters_region_is_offered_whether_or_not_regions_are_known(subscribe: Subscribe) -> None:
    first = subscribe()
    assert first.offer()["domain"] == DOMAIN
    first.teardown()
    aware = [{"type": name} for name in (*CAPABILITIES, "REGION_AWARE")]
    assert subscribe(framework(capabilities=aware)).offer()["domain"] == DOMAIN
