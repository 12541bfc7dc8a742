"""The Lease that makes one of several operators the active one, and what happens to the one that loses it."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from logging import getLogger
from typing import Any

from statefuldb.adapters.kubernetes.cache import version_of
from statefuldb.adapters.kubernetes.calls import call, find
from statefuldb.adapters.kubernetes.election import LEASE_SECONDS, PERIOD_SECONDS, Election, Record
from statefuldb.adapters.kubernetes.objects import MERGE_PATCH
from statefuldb.adapters.kubernetes.plain import PlainObjects
from statefuldb.model.identity import OPERATOR_LEASE
from statefuldb.reconcile.ports import EffectFailed

log = getLogger(__name__)
Json = dict[str, Any]
REQUEST_SECONDS = 2.0


def boot_seconds() -> float:
    """Return seconds since the machine started, those in which it was suspended included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Leadership:
    """One candidate's part in the election.

    `client` must be one that needs no leadership for its writes. `on_lost` is called once, from another thread, at the
    moment at which a leader has ceased to be one without having given the Lease back. `on_restored` is called where the
    API was put back to an earlier state, by candidates too: a leader has mostly ceased to be one by then. Where it
    raises EffectFailed it is called again, and nothing is taken before it returns.
    """

    def __init__(
        self,
        client: Any,
        *,
        namespace: str,
        me: str,
        on_lost: Callable[[], None],
        on_restored: Callable[[], None],
        clock: Callable[[], float] = boot_seconds,
    ) -> None:
        self._api = PlainObjects(client, "/apis/coordination.k8s.io/v1", "leases")
        self._namespace = namespace
        self._on_lost = on_lost
        self._on_restored = on_restored
        self._clock = clock
        self._election = Election(me)
        self._released = threading.Event()
        self._once = threading.Lock()
        self._looked_at = -float("inf")
        self._latest = 0
        self._said = ""

    def acquire(self, stopping: threading.Event) -> bool:
        """Wait until this candidate leads, and have it kept so. Return False if `stopping` is set before."""
        while not self._election.leads(self._clock()):
            self._attempt()
            if self._election.lost(self._clock()):
                # The answer took longer than the leadership that it grants.
                self._election = Election(self._election.me)
            if not self._election.leads(self._clock()) and stopping.wait(PERIOD_SECONDS):
                return False
        log.info("%s leads", self._election.me)
        for name, target in (("lease", self._renew), ("lease-guard", self._guard)):
            threading.Thread(target=target, name=name, daemon=True).start()
        return True

    def holds(self) -> bool:
        """Say whether this operator may act now. Cheap: asked immediately before each effect leaves."""
        return not self._released.is_set() and self._election.leads(self._clock())

    def out_of_sight(self) -> str:
        """Say since when the Lease could not be read, "" where a candidate could take it in time."""
        ago = self._clock() - self._looked_at
        return f"the Lease was not read for {ago:.0f} s" if ago > LEASE_SECONDS else ""

    def release(self) -> None:
        """Give the Lease back, so that another takes over at once. Nothing must be acted on any more."""
        if not self.holds():
            return
        self._released.set()
        try:
            stored = self._read()
            if stored is not None and _record(stored).holder == self._election.me:
                self._write(stored, None)
        except EffectFailed as error:
            log.warning("the Lease is not given back, it lapses: %s", error)

    def _renew(self) -> None:
        while not self._released.wait(PERIOD_SECONDS) and self.holds():
            self._attempt()
        self._lose()

    def _guard(self) -> None:
        """Notice the end in time also while a renewal hangs."""
        while (left := self._election.seconds_left(self._clock())) > 0:
            if self._released.wait(left):
                return
        self._lose()

    def _lose(self) -> None:
        if not self._released.is_set() and self._once.acquire(blocking=False):
            self._on_lost()

    def _attempt(self) -> None:
        """Look at the Lease, and take or renew it where that is due. A failure is tried again a period later."""
        try:
            stored = self._read()
            if stored is not None:
                self._compare(version_of(stored))
            seen = _record(stored) if stored is not None else None
            self._election.observe(seen, self._clock())
            self._looked_at = self._clock()
            if self._election.may_write(self._clock()):
                sent = self._clock()
                self._write(stored, self._election.me)
                self._election.written(sent, self._clock())
            self._say(f"the Lease is held by {(seen.holder if seen is not None else '') or 'nobody'}")
        except EffectFailed as error:
            self._say(str(error))

    def _compare(self, version: int) -> None:
        """Tell where the Lease is older than it was. Raises EffectFailed."""
        if version < self._latest:
            self._on_restored()
        self._latest = version

    def _say(self, text: str) -> None:
        if text != self._said:
            log.info("%s", text)
        self._said = text

    def _read(self) -> Json | None:
        return find(
            f"get Lease {OPERATOR_LEASE}",
            lambda: self._api.get(self._namespace, OPERATOR_LEASE, timeout_seconds=REQUEST_SECONDS),
        )

    def _write(self, stored: Json | None, holder: str | None) -> None:
        """Store the Lease for `holder`, None to give it back, if it is still the one that was read.

        Raises EffectFailed.
        """
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before = (stored or {}).get("spec") or {}
        spec: Json = {"holderIdentity": holder, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now}
        if holder is not None and before.get("holderIdentity") != holder:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = before.get("leaseTransitions", -1) + 1
        if stored is None:
            body = {"metadata": {"name": OPERATOR_LEASE}, "spec": spec}
            call(
                f"create Lease {OPERATOR_LEASE}",
                lambda: self._api.create(self._namespace, body, timeout_seconds=REQUEST_SECONDS),
            )
            return
        # With the version it was read at, the API refuses the patch where somebody else has written meanwhile.
        patch = {"metadata": {"resourceVersion": stored["metadata"]["resourceVersion"]}, "spec": spec}
        call(
            f"write Lease {OPERATOR_LEASE}",
            lambda: self._api.patch(
                self._namespace, OPERATOR_LEASE, patch, MERGE_PATCH, timeout_seconds=REQUEST_SECONDS
            ),
        )


def _record(stored: Json) -> Record:
    spec = stored.get("spec") or {}
    return Record(
        holder=spec.get("holderIdentity") or "",
        version=stored["metadata"]["resourceVersion"],
        duration_seconds=float(spec.get("leaseDurationSeconds") or 0),
    )
