"""As many offers as waiting members, matched one after the other as the loop does it; and one that fits nowhere."""

import gc
import math
import tracemalloc
from dataclasses import replace
from functools import partial

from measuring import MEBIBYTE, median_seconds, seconds, table, write

from statefuldb.adapters.mesos.offer_cache import OfferCache
from statefuldb.model.actions import AcceptOffers
from statefuldb.model.canonical import canonical
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Observed
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import AgentAttribute, PlacementSpec
from statefuldb.reconcile.decide import decide_among
from unit.planning.world import OPERATOR, database, observed, offer, spec

SIZES = (100, 1_000, 10_000)
ZONES = 10
# What is measured beside the work itself: other load on the machine, and caches that larger sets no longer fit in.
TOLERANCE = 1.5


def offers(count: int) -> list[AgentOffer]:
    """An agent each with room for one member, in ten zones, some larger than others."""
    return [
        offer(f"agent-{n}", cpus=0.5 + n % 7 * 0.05, mem_mib=700, attributes={"zone": f"z{n % ZONES}"})
        for n in range(count)
    ]


def waiting(count: int) -> list[Observed]:
    """A new database each, bound to one of ten zones."""
    found = []
    for n in range(count):
        key = DatabaseKey(namespace="shop", name=f"orders-{n}")
        placement = PlacementSpec(attributes=(AgentAttribute(name="zone", value=f"z{n * 3 % ZONES}"),))
        wanted = canonical(spec(placement=placement))
        uid = f"11111111-2222-3333-4444-{n:012d}"
        found.append(observed(key=key, database=replace(database(spec=wanted), key=key, uid=uid)))
    return found


def match(members: list[Observed], offered: list[AgentOffer]) -> int:
    """Place every member, each on an offer of its own; return how many offers were looked at."""
    cache, looked = OfferCache(), 0
    cache.add(offered)
    for seen in members:
        decided, excerpt = decide_among(seen, partial(cache.excerpt, seen), OPERATOR)
        (accepted,) = (a for a in decided.actions if isinstance(a, AcceptOffers))
        assert cache.take(accepted.offer_ids)
        looked += len(excerpt.offers)
    return looked


def refuse(seen: Observed, cache: OfferCache) -> None:
    """One pass of a member that no offer can hold: it has to see all of them to say so."""
    decided, excerpt = decide_among(seen, partial(cache.excerpt, seen), OPERATOR)
    assert excerpt.whole
    assert not any(isinstance(a, AcceptOffers) for a in decided.actions)


def main() -> None:
    """Measure, compare the growth with n log n, and write the results down."""
    rows, taken = [], []
    for size in SIZES:
        members, offered = waiting(size), offers(size)
        looked = match(members, offered)
        gc.collect()
        taken.append(seconds(partial(match, members, offered)))
        tracemalloc.start()
        match(members, offered)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        cache = OfferCache()
        cache.add(offered)
        large = replace(spec().resources, memory_bytes=MEBIBYTE * MEBIBYTE)
        nowhere = replace(members[0], database=database(spec=canonical(spec(resources=large))))
        refused = median_seconds(partial(refuse, nowhere, cache), rounds=3)
        rows.append(
            (
                f"{size:,}",
                f"{taken[-1]:.2f}",
                f"{1e3 * taken[-1] / size:.2f}",
                f"{looked / size:.1f}",
                f"{peak / MEBIBYTE:.1f}",
                f"{1e3 * refused:.1f}",
            )
        )
    growth, allowed = taken[2] / taken[1], 10 * math.log(SIZES[2]) / math.log(SIZES[1])
    assert growth <= allowed * TOLERANCE, f"10,000 took {growth:.1f} times as long as 1,000; n log n is {allowed:.1f}"
    said = (
        "Each member is bound to one of ten zones and finds the best offer there; the offers it takes are gone for the "
        "next. One core, in CPU time; deciding only, as the loop does it (no Mesos, no Kubernetes). Memory is the peak "
        "that `tracemalloc` sees on top of offers and members.\n"
    )
    header = ("offers and members", "s", "ms a member", "offers looked at", "peak MiB", "ms a pass that fits nowhere")
    bound = (
        f"\nFrom 1,000 to 10,000 the time grows {growth:.1f} times; n log n is {allowed:.1f} (it fails above "
        f"{TOLERANCE:g} times that).\n\nWhat bounds it: one `plan()` for a member, whose cost does not depend on the "
        "number of offers. A member that fits nowhere has to be refused by every offer, in words that count why: that "
        "pass is linear, and is made once for each batch of offers that comes.\n\nSpread over zones is by attributes "
        "of agents; `spec.placement.spread` is not built yet.\n"
    )
    write("offers", "Offers matched with waiting members", [said, table(header, rows), bound])


if __name__ == "__main__":
    main()
