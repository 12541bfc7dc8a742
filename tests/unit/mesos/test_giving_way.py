"""Of two operators that begin at once one has its framework written down; the other does nothing under its own."""

from statefuldb.reconcile.ports import Superseded
from unit.mesos.adapter import Wired


def test_an_operator_in_whose_place_another_has_begun_begins_nothing() -> None:
    wired = Wired()

    def too_late() -> None:
        raise Superseded("another operator has begun")

    wired.saving = too_late
    wired.subscribe()
    assert not wired.adapter.view().connected
    assert wired.driver.named("give_way") == [("another operator has begun",)]
    assert not wired.driver.named("reconcile")
