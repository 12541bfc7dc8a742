"""Attributes of agents, as manifests ask for them."""

from dataclasses import replace

import pytest

from statefuldb.adapters.mesos.wire import attributes_from_wire
from statefuldb.local.mesos.resources.flags import parse_attributes
from statefuldb.model.actions import AcceptOffers
from statefuldb.model.spec import AgentAttribute, PlacementSpec
from statefuldb.planning.planner import plan
from unit.planning.world import OPERATOR, desired, observed, offer, spec


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("rack:r1", "r1"),
        ("rack:1", "1"),
        ("rack:01", "1"),
        ("rack:2.50", "2.5"),
        ("rack:1000000000000", "1000000000000"),
        ("rack:10.0.0.1", "10.0.0.1"),
    ],
)
def test_an_agent_is_found_by_an_attribute_that_mesos_takes_for_a_number_too(flag: str, value: str) -> None:
    attributes = attributes_from_wire(parse_attributes(f"{flag};slots:[1-4]"))
    for wanted, fits in ((value, True), ("other", False)):
        placement = PlacementSpec(attributes=(AgentAttribute(name="rack", value=wanted),))
        there = replace(offer(), attributes=attributes)
        decided = plan(desired(spec(placement=placement)), observed(), (there,), OPERATOR)
        assert any(isinstance(action, AcceptOffers) for action in decided.actions) is fits
