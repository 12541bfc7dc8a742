"""Mesos resources and offers, with exact arithmetic.

Scalars are held in thousandths (Mesos keeps three decimals, docs/attributes-resources), so nothing is ever
compared as a float. Resources that the operator never uses (shared, revocable, of a provider) do not get this far.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from statefuldb.model.identity import ReservationLabels
from statefuldb.model.spec import DiskType
from statefuldb.model.volume import AgentRef

MILLI = 1000
BYTES_PER_MIB = 1024 * 1024


def milli_of_bytes(size_bytes: int) -> int:
    """Return bytes as Mesos counts memory and disk: in thousandths of a MiB, whole MiB, rounded up."""
    return -(-size_bytes // BYTES_PER_MIB) * MILLI


def bytes_of_milli(amount_milli: int) -> int:
    """Return an amount of memory or disk in bytes: agents may offer a part of a MiB too."""
    return amount_milli * BYTES_PER_MIB // MILLI


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One level of a reservation stack (`Resource.ReservationInfo`)."""

    dynamic: bool
    role: str
    principal: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSource:
    """Where a disk resource comes from; Root is the agent's work directory."""

    type: DiskType = DiskType.ROOT
    root: str | None = None
    wire: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """The persistent volume on a disk resource."""

    id: str
    principal: str | None
    container_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One entry of an offer or of a task: a scalar (`amount_milli`) or a set of port ranges.

    For `mem` and `disk` the scalar counts thousandths of a MiB, for `cpus` thousandths of a cpu.
    """

    name: str
    amount_milli: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    reservations: tuple[Reservation, ...] = ()
    source: DiskSource = DiskSource()
    persistence: Persistence | None = None
    allocation_role: str | None = None

    @property
    def labels(self) -> ReservationLabels | None:
        """Our labels on the innermost reservation, or None where it is not ours."""
        if not self.reservations:
            return None
        return ReservationLabels.parse(dict(self.reservations[-1].labels))

    @property
    def unreserved(self) -> bool:
        """Whether nobody has reserved it."""
        return not self.reservations

    def part(self, amount_milli: int) -> "Resource":
        """Return the same resource with another amount."""
        return replace(self, amount_milli=amount_milli)

    def reserved(self, reservation: Reservation) -> "Resource":
        """Return the same resource with one more reservation on its stack (the form RESERVE takes)."""
        return replace(self, reservations=(*self.reservations, reservation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailability:
    """When an agent will be away for maintenance, in Unix seconds; without a duration, for good."""

    start_seconds: float
    duration_seconds: float | None = None

    @property
    def end_seconds(self) -> float | None:
        """When it is said to be back, or None where that is not said."""
        return None if self.duration_seconds is None else self.start_seconds + self.duration_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOffer:
    """Everything that one agent offers to one role now: its outstanding offers taken together.

    Mesos may split an agent over several offers; they are accepted together or not at all.
    """

    agent_id: str
    hostname: str
    address: str
    role: str
    offer_ids: tuple[str, ...]
    resources: tuple[Resource, ...]
    attributes: Mapping[str, str]
    received_at_seconds: float = 0.0
    unavailability: Unavailability | None = None

    @property
    def agent(self) -> AgentRef:
        """Whose offer it is."""
        return AgentRef(id=self.agent_id, hostname=self.hostname, address=self.address)

    def amount_milli(self, name: str) -> int:
        """Return how much of a scalar is offered and unreserved."""
        return sum(r.amount_milli for r in self.resources if r.name == name and r.unreserved)


def free_ports(resources: Iterable[Resource], count: int) -> tuple[int, ...]:
    """Return the lowest `count` ports among `resources`, or all there are where they are fewer."""
    ports: list[int] = []
    for begin, end in sorted(span for r in resources if r.name == "ports" for span in r.ranges):
        ports.extend(range(begin, min(end, begin + count - len(ports) - 1) + 1))
        if len(ports) >= count:
            break
    return tuple(ports[:count])


def port_ranges(ports: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Return ports as the ranges Mesos takes: sorted, neighbours joined."""
    spans: list[tuple[int, int]] = []
    for port in sorted(set(ports)):
        if spans and spans[-1][1] == port - 1:
            spans[-1] = (spans[-1][0], port)
        else:
            spans.append((port, port))
    return tuple(spans)
