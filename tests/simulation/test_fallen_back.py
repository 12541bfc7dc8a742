"""The API is restored from a backup: an entry of the ledger says that what was launched long ago is over."""

from typing import Any

import pytest

from simulation.test_fleet import ready
from simulation.test_let_in_again import SIZE, fenced, serving
from statefuldb.simulation.runs.run import judged
from statefuldb.simulation.world import World

Json = dict[str, Any]
API = "/apis/statefuldb.dev/v1alpha1/namespaces/default/databasevolumes"
LOST_SECONDS = 120.0


def entry(world: World) -> Json:
    (found,) = world.api.objects("databasevolumes")
    return found


def restored(world: World, backup: Json) -> None:
    """Put an entry back while no operator runs, with the end of its launch in it."""
    spec = backup["spec"]
    incarnation = spec["launch"]["incarnation"]
    over = {"incarnation": incarnation, "state": "TASK_KILLED", "atSeconds": 10.0}
    metadata = {name: backup["metadata"][name] for name in ("name", "namespace", "labels")}
    assert world.life is not None
    world.life.kill()
    for method, path, body in (
        ("DELETE", f"{API}/{metadata['name']}", None),
        ("POST", API, {**backup, "metadata": metadata, "spec": {**spec, "ending": over}}),
    ):
        status, answer = world.api.exchange(method, path, body)
        assert status < 300, answer


@pytest.mark.parametrize("away", [True, False], ids=["out of reach", "there"])
def test_nothing_is_launched_beside_what_a_backup_does_not_know(away: bool) -> None:
    world = World(1, SIZE, faulty=False)
    with judged(world):
        mine, _ = serving(world)
        backup = entry(world)
        for _ in range(2):
            world.people.restart("db0")
            world.pass_by(60.0)
        assert ready(world) == {"db0"}
        if away:
            mine.cut_off(5 * LOST_SECONDS)
            world.pass_by(LOST_SECONDS)
            assert fenced(world) == 0
        restored(world, backup)
        world.pass_by(20.0)
        launched = entry(world)["spec"]["launch"]
        assert launched["incarnation"] == 3
        assert launched["agent"]["hostname"] == mine.host.hostname
        world.pass_by(600.0)
        assert fenced(world) == away
        assert ready(world) == {"db0"}
        assert entry(world)["spec"]["launch"]["incarnation"] == (4 if away else 3), "what runs runs on"
    assert world.verdict.broken is None, str(world.verdict.broken)
