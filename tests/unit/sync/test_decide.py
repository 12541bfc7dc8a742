"""Pruning: every doubt keeps the object. Drift: what others changed, and nothing else."""

from dataclasses import replace

import pytest

from statefuldb.sync.decide import Decision, Policy, decide
from statefuldb.sync.inventory import Entry, Inventory, digest_of, marked
from statefuldb.sync.manifests import Document, Identity, Manifests, read_manifests
from statefuldb.sync.ports import Json, Snapshot, SourceFile

POLICY = Policy(owner="shop/fleet", prune=True)
DATABASE = """apiVersion: statefuldb.dev/v1alpha1
kind: StatefulDatabase
metadata: {name: %s}
spec: {deletionProtection: %s, resources: {cpus: 1}}
"""


def read(**files: str | None) -> Manifests:
    listed = tuple(SourceFile(path=path, text=text, problem="is no UTF-8") for path, text in files.items())
    return read_manifests(Snapshot(revision="r", files=listed), "shop", lambda body: [])


def database(name: str, protection: str = "Disabled") -> str:
    return DATABASE % (name, protection)


def stored(document: Document, **metadata: object) -> Json:
    body = marked(document, POLICY.owner)
    return {**body, "metadata": {**body["metadata"], "uid": "u", **metadata}}


def applied(manifests: Manifests) -> tuple[dict[Identity, Json], Inventory]:
    """Return the world after these manifests were applied."""
    live = {d.identity: stored(d) for d in manifests.documents}
    entries = {d.identity: Entry(file=d.file, digest=digest_of(marked(d, POLICY.owner))) for d in manifests.documents}
    return live, Inventory(entries=entries)


BEFORE = read(a=database("one"), b=database("two"))
ONE, TWO = (Identity(kind="StatefulDatabase", namespace="shop", name=name) for name in ("one", "two"))


def pruning(manifests: Manifests, policy: Policy = POLICY, **changes: object) -> Decision:
    live, inventory = applied(BEFORE)
    if changes:
        live[TWO] = {**live[TWO], **changes}
    return decide(manifests, live, inventory, policy, None)


def test_nothing_to_do_is_nothing_done() -> None:
    assert pruning(BEFORE) == Decision()


def test_what_is_gone_from_the_source_is_pruned() -> None:
    assert pruning(read(a=database("one"))).prune == (TWO,)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "no manifest at all"),
        ({"a": database("one"), "b": "kind: ["}, "may be in b, which is broken"),
        ({"a": database("one"), "c": "kind: [ # was: two"}, "may be in c, which is broken"),
        ({"a": database("one"), "c": None}, "may be in c, which is broken"),
        ({"a": database("one"), "b": database("two").replace("StatefulDatabase", "Deployment")}, "may be in b"),
        ({"a": database("one"), "b": database("two").replace("v1alpha1", "v1")}, ""),
    ],
)
def test_a_source_in_doubt_prunes_nothing(files: dict[str, str | None], why: str) -> None:
    decision = pruning(read(**files))
    assert not decision.prune
    assert any(why in kept.why for kept in decision.kept) or not why
    assert why or decision.problems


def test_another_broken_file_keeps_only_what_it_may_hold() -> None:
    assert pruning(read(a=database("one"), c="kind: [ # twofold, not-two, two.x")).prune == (TWO,)


def test_an_empty_source_is_believed_only_where_that_is_asked_for() -> None:
    assert pruning(read(), replace(POLICY, allow_empty=True)).prune == (ONE, TWO)


def test_without_prune_it_is_only_told() -> None:
    decision = pruning(read(a=database("one")), replace(POLICY, prune=False))
    assert not decision.prune
    assert "--prune" in decision.kept[0].why


def test_protection_is_respected_and_told() -> None:
    decision = pruning(read(a=database("one")), spec={})
    assert not decision.prune
    assert "is protected" in decision.kept[0].why


def test_what_another_made_its_own_is_let_go_and_not_pruned() -> None:
    live, inventory = applied(BEFORE)
    live[TWO]["metadata"]["annotations"] = {"statefuldb.dev/sync": "shop/other"}
    decision = decide(read(a=database("one")), live, inventory, POLICY, None)
    assert (decision.prune, decision.forget) == ((), (TWO,))


def test_what_is_not_in_the_inventory_is_never_pruned() -> None:
    live, _ = applied(BEFORE)
    assert not decide(read(a=database("one")), live, Inventory(), POLICY, None).prune


def test_a_directory_must_be_seen_twice() -> None:
    live, inventory = applied(BEFORE)
    half = read(a=database("one"))
    assert "the next time" in decide(half, live, inventory, POLICY, frozenset()).kept[0].why
    assert decide(half, live, inventory, POLICY, frozenset({TWO})).prune == (TWO,)


def test_namespaces_are_never_pruned() -> None:
    before = read(a="apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n", b=database("one"))
    live, inventory = applied(before)
    decision = decide(read(b=database("one")), live, inventory, POLICY, None)
    assert not decision.prune
    assert "never pruned" in decision.kept[0].why


def test_what_others_changed_is_drift_and_is_put_right() -> None:
    live, inventory = applied(BEFORE)
    live[ONE] = {**live[ONE], "spec": {"deletionProtection": "Disabled", "resources": {"cpus": 2}, "replicas": 1}}
    del live[TWO]
    decision = decide(BEFORE, live, inventory, POLICY, None)
    assert [str(drift) for drift in decision.drift] == [
        "StatefulDatabase/one in shop: spec.resources.cpus",
        "StatefulDatabase/two in shop: was deleted",
    ]
    assert [d.identity for d in decision.apply] == [ONE, TWO]


def test_a_change_in_the_source_is_no_drift() -> None:
    edited = read(a=database("one", "Enabled"), b=database("two"))
    decision = pruning(edited)
    assert [d.identity for d in decision.apply] == [ONE]
    assert not decision.drift


def test_what_others_added_is_nobodys_business() -> None:
    live, inventory = applied(BEFORE)
    live[ONE]["spec"] = {**live[ONE]["spec"], "reconcile": {"approvedPlan": "0123"}}
    assert decide(BEFORE, live, inventory, POLICY, None) == Decision()


def test_two_syncs_do_not_fight_over_an_object() -> None:
    live, inventory = applied(BEFORE)
    live[ONE]["metadata"]["annotations"] = {"statefuldb.dev/sync": "shop/other"}
    decision = decide(BEFORE, live, inventory, POLICY, None)
    assert not decision.apply
    assert "another sync, shop/other" in str(decision.problems[0])


def test_an_inventory_is_read_back_and_a_damaged_one_is_never_an_empty_one() -> None:
    _, inventory = applied(BEFORE)
    assert Inventory.from_json(inventory.to_json()) == inventory
    for text in ("", "{}x", '[{"kind": "a"}]', "7"):
        with pytest.raises(ValueError, match=r".+"):
            Inventory.from_json(text)
