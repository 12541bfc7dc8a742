"""The whole API is restored from a backup, and its owners apply what they want once more: nothing is lost by that.

What was made since is in Mesos only, what was deleted since is wanted again by its object, entries say what was.
Where the data of an object is gone, it waits for a person, and so it is not judged whether all come to be Ready.
"""

import pytest

from statefuldb.simulation.dice import Dice
from statefuldb.simulation.liveness import come_to_rest
from statefuldb.simulation.people import NAMESPACE, PATH
from statefuldb.simulation.run import judged
from statefuldb.simulation.size import Size
from statefuldb.simulation.world import World

SEEDS = (2, 3, 9, 16, 20, 23, 28, 35)
SIZE = Size(agents=5, databases=6, busy_seconds=200.0, pause_seconds=6.0, varied=True, workers=2)


def restore(world: World, meanwhile_seconds: float) -> None:
    """Back the API up and, after a while, put that back while no operator runs."""
    backup = world.api.backup()
    world.pass_by(meanwhile_seconds)
    assert world.life is not None
    world.life.kill()
    world.api.put_back(backup)
    world.story.tell("people", "restore the API")
    # A launch since then of which Mesos says nothing any more is nowhere: its id is used again (docs/operations.md).
    world.laws._task_ids.clear()
    world.pass_by(40.0)


def want_again(world: World) -> None:
    """Let the owners have what they wanted at last, as GitOps does."""
    for wanted in list(world.people.wanted.values()):
        stored = world.people.find(wanted.name)
        if wanted.spec is None:
            world.people.delete(wanted.name)
        elif stored is not None:
            world.api.exchange("PUT", f"{PATH}/{wanted.name}", {**stored, "spec": wanted.spec})
        else:
            metadata = {"name": wanted.name, "namespace": NAMESPACE}
            kind = {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StatefulDatabase"}
            world.people.apply({**kind, "metadata": metadata, "spec": wanted.spec})


@pytest.mark.parametrize("seed", SEEDS)
def test_no_row_is_lost_and_no_data_has_two_writers(seed: int) -> None:
    world, dice = World(seed, SIZE, faulty=False), Dice(~seed)
    with judged(world):
        world.begin()
        world.pass_by(dice.between(15.0, 90.0))
        restore(world, dice.between(20.0, 90.0))
        want_again(world)
        world.pass_by(60.0)
        come_to_rest(world)
    broken = world.verdict.broken
    assert broken is None or broken.law == "eventually_stable", world.story.short(str(broken))
