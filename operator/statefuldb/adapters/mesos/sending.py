"""What becomes of a call that fails: a worker is told, what it gave up is taken back, or Mesos tells and asks again."""

from collections.abc import Callable, Sequence
from functools import partial
from logging import getLogger
from typing import Any

from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.driver import Driver
from statefuldb.adapters.mesos.guard import UnsafeRequest
from statefuldb.adapters.mesos.wire import ids_to_wire
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)


class Sending:
    """Makes calls through a driver. `is_known` says whether what runs was listed since the stream began."""

    def __init__(self, driver: Driver, is_known: Callable[[], bool]) -> None:
        self._driver = driver
        self._is_known = is_known

    def call(self, call: Callable[[], Any], *, on_failure: Callable[[], None] = lambda: None) -> None:
        """Make a call of a worker's. Raises EffectFailed, after `on_failure` where it may have been sent."""
        # A stream that has begun counts once what runs is listed: what was decided before that knows nothing of it.
        if not (self._driver.connected and self._is_known()):
            raise EffectFailed("Mesos is not connected")
        try:
            call()
        except (CallFailed, UnsafeRequest) as error:
            on_failure()
            raise EffectFailed(str(error)) from error

    def give_up(self, call: Callable[[], Any]) -> None:
        """Make a call by which we give offers up. Raises EffectFailed.

        Where it fails Mesos may hold them out to us for ever, and we know them no more: a new subscription takes them
        back and offers them again. It also has a late arrival of this call refused, by its stream id. Where the stream
        was another one by then, all that is so already.
        """
        self.call(call, on_failure=partial(self._driver.resubscribe, self._driver.stream_id))

    def tell(self, call: Callable[[], Any]) -> None:
        """Make a call whose failure mends itself: it is made again when Mesos tells again."""
        try:
            call()
        except CallFailed as error:
            log.warning("%s", error)

    def answer(self, accepted: Sequence[str], declined: Sequence[str]) -> None:
        """Answer inverse offers. Mesos asks once a subscription: where an answer may be lost, it asks in the next."""
        stream_id = self._driver.stream_id
        try:
            if accepted:
                self._driver.acceptInverseOffers(ids_to_wire(accepted))
            if declined:
                self._driver.declineInverseOffer(ids_to_wire(declined))
        except CallFailed as error:
            log.warning("%s", error)
            if error.unanswered:
                self._driver.resubscribe(stream_id)
