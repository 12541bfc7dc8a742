"""What an ACCEPT makes of an offer: the operations applied in order, as Mesos does (Mesos docs, reservation).

Resources that are the same but for their amount merge; an operation on what is not there is refused.
"""

from dataclasses import replace

from statefuldb.model.operations import Create, Destroy, Grow, LaunchTask, Operation, Reserve, Unreserve
from statefuldb.model.resources import AgentOffer, Resource, port_ranges
from statefuldb.model.spec import DiskType


class NotOffered(ValueError):
    """An operation asks for what the offer does not hold: Mesos would refuse it."""


def remaining(offered: AgentOffer, operations: tuple[Operation, ...], *, launched: bool = True) -> AgentOffer:
    """Return what `offered` holds after `operations`; what a LAUNCH consumes is gone where it is `launched`.

    Raises NotOffered.
    """
    pool = list(offered.resources)
    for operation in operations:
        match operation:
            case Reserve(resources=resources):
                for resource in resources:
                    _convert(pool, _outer(resource), resource)
            case Unreserve(resources=resources):
                for resource in resources:
                    _convert(pool, resource, _outer(resource))
            case Create(volume=volume):
                _convert(pool, replace(volume, persistence=None), volume)
            case Destroy(volume=volume):
                _convert(pool, volume, replace(volume, persistence=None))
            case Grow(volume=volume, addition=addition):
                _take(pool, addition)
                _convert(pool, volume, volume.part(volume.amount_milli + addition.amount_milli))
            case LaunchTask(resources=resources):
                for resource in resources if launched else ():
                    _take(pool, resource)
    return replace(offered, resources=tuple(pool))


def _outer(resource: Resource) -> Resource:
    return replace(resource, reservations=resource.reservations[:-1])


def _convert(pool: list[Resource], before: Resource, after: Resource) -> None:
    _take(pool, before)
    for index, held in enumerate(pool):
        same = replace(held, amount_milli=0) == replace(after, amount_milli=0)
        whole = after.ranges or after.persistence is not None or after.source.type is DiskType.MOUNT
        if same and not whole:
            pool[index] = held.part(held.amount_milli + after.amount_milli)
            return
    pool.append(after)


def _take(pool: list[Resource], wanted: Resource) -> None:
    for index, held in enumerate(pool):
        if replace(held, amount_milli=0, ranges=()) != replace(wanted, amount_milli=0, ranges=()):
            continue
        if wanted.ranges:
            have = {p for b, e in held.ranges for p in range(b, e + 1)}
            want = {p for b, e in wanted.ranges for p in range(b, e + 1)}
            if want <= have:
                rest = port_ranges(have - want)
                pool[index : index + 1] = [replace(held, ranges=rest)] if rest else []
                return
        elif held.amount_milli >= wanted.amount_milli:
            left = held.amount_milli - wanted.amount_milli
            pool[index : index + 1] = [held.part(left)] if left else []
            return
    raise NotOffered(f"not in the offer: {wanted}")
