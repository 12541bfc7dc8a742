"""An uninstallation is refused while anybody keeps anything."""

from dataclasses import replace

import pytest

from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.inventory.comparison import compare
from statefuldb.planning.inventory.uninstalling import directories, obstacles
from unit.planning.inventory.test_inventory import HELD, cluster, entry
from unit.planning.world import CLUSTER, KEY


def test_what_is_released_is_no_obstacle() -> None:
    lines = compare([entry(intent=Intent.DELETE)], HELD)
    assert obstacles([], lines, [], cluster=CLUSTER, leave_lost=False) == ()


def test_databases_and_kept_data_are_obstacles_with_a_remedy() -> None:
    for lines in (compare([entry()], HELD), compare([entry(intent=Intent.RETAIN)], HELD), compare([], HELD)):
        (found,) = obstacles([], lines, [], cluster=CLUSTER, leave_lost=True)
        assert "orders-0-11111111" in found.what
        assert found.remedy
    (found,) = obstacles([KEY], (), [], cluster=CLUSTER, leave_lost=True)
    assert found.remedy == "statefuldb -n shop delete orders"


@pytest.mark.parametrize("leave_lost", [True, False])
def test_released_data_on_an_agent_that_is_gone_is_left_only_on_request(leave_lost: bool) -> None:
    lines = compare([entry(intent=Intent.DELETE)], cluster(hosts=()))
    assert bool(obstacles([], lines, lines, cluster=CLUSTER, leave_lost=leave_lost)) is not leave_lost


def test_directories_that_nobody_could_empty_are_named() -> None:
    record = entry(strategy=Strategy.HOST_PATH, persistence_id=None, directory="/srv/db/shop/orders/0")
    assert directories(compare([record], None)) == ("/srv/db/shop/orders/0 on agent-1",)
    assert directories(compare([entry()], None)) == ()


def test_what_another_installation_still_gives_back_is_not_taken_out_of_the_ledger() -> None:
    """Its entry went with the rest, and with it the only thing that told of its directory."""
    released = entry(intent=Intent.DELETE, strategy=Strategy.HOST_PATH, persistence_id=None, directory="/srv/db/0")
    lines = compare([replace(released, identity=replace(released.identity, cluster="another"))], cluster())
    (found,) = obstacles([], lines, [], cluster=CLUSTER, leave_lost=True)
    assert "is Releasing, of cluster another" in found.what
    assert "start the operator of that installation" in found.remedy


def test_data_that_another_installation_keeps_is_not_advised_to_be_released() -> None:
    """Whoever uninstalled one of two was told to destroy what the other one keeps."""
    kept = entry(intent=Intent.RETAIN)
    lines = compare([replace(kept, identity=replace(kept.identity, cluster="another"))], cluster())
    (found,) = obstacles([], lines, [], cluster=CLUSTER, leave_lost=True)
    assert "of cluster another" in found.what
    assert "volumes release" not in found.remedy


def test_a_database_that_another_installation_looks_after_is_not_advised_to_be_deleted() -> None:
    used = entry()
    lines = compare([replace(used, identity=replace(used.identity, cluster="another"))], cluster())
    beside = replace(KEY, name="invoices")
    theirs, ours, volume = obstacles([KEY, beside], lines, [], cluster=CLUSTER, leave_lost=True)
    assert (theirs.what, theirs.remedy) == (
        f"database {KEY} exists, of cluster another",
        "uninstall that installation before this one",
    )
    assert ours.remedy == "statefuldb -n shop delete invoices"
    assert "of cluster another" in volume.what
