"""What is on agents is found by agent, whatever comes and goes."""

from dataclasses import dataclass

from statefuldb.local.mesos.master.by_agent import ByAgent


@dataclass
class Thing:
    agent_id: str


def test_what_is_on_an_agent_is_found_until_it_goes() -> None:
    things: ByAgent[str, Thing] = ByAgent()
    first, second, third = Thing("a"), Thing("b"), Thing("a")
    things.update({"1": first, "2": second, "3": third})
    assert things.on("a") == [first, third]
    moved = things["1"] = Thing("b")
    assert (things.on("a"), things.on("b")) == ([third], [second, moved])
    assert things.pop("3") is third
    assert things.on("a") == []
    assert list(things) == ["2", "1"]
    things.clear()
    assert (len(things), things.on("b")) == (0, [])
