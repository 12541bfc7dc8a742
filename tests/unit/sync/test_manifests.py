"""Documents by themselves: a broken one hides no other, and is named with file, number and line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statefuldb.cli.databases import manifest_errors
from statefuldb.sync.inventory import digest_of
from statefuldb.sync.manifests import Identity, Manifests, read_manifests
from statefuldb.sync.ports import Snapshot, SourceFile

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {a: b}\n"


def read(**files: str) -> Manifests:
    snapshot = Snapshot(revision="r", files=tuple(SourceFile(path=p, text=t) for p, t in files.items()))
    return read_manifests(snapshot, "shop", manifest_errors)


def names(manifests: Manifests) -> list[str]:
    return [document.identity.name for document in manifests.documents]


def test_documents_around_a_broken_one_are_read() -> None:
    found = read(a=f"# one\n{GOOD % 'one'}---\nkind: [\n---\n{GOOD % 'three'}", b=GOOD % "four")
    assert names(found) == ["four", "one", "three"]
    (problem,) = found.problems
    assert (problem.file, problem.number) == ("a", 2)
    assert "line 8" in problem.message
    assert list(found.broken) == ["a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just text", "is no manifest"),
        ("kind: ConfigMap", "no metadata"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../../x}", "'../../x' is no name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b/c}", "'b/c' is no name"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: statefuldb-framework}", "the operator's own"),
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: a}", "kind Secret is not synced"),
        ("apiVersion: v2\nkind: ConfigMap\nmetadata: {name: a}", "'v2' is not v1"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {1: b}", "the key 1 is no text"),
        ("a: &a [*a]", "aliases"),
        ("a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 10)}]\n" if n else
         "b0: &b0 [*a,*a,*a]\n" for n in range(8)), "aliases"),
        ("a: !!python/object/apply:os.system ['true']", "python/object"),
        ("a: !!binary aGk=", "bytes"),
        (GOOD % "one" + GOOD % "two", "line 5: the key 'apiVersion' is there twice"),
        ('{"kind": "ConfigMap", "metadata": {"name": "a", "name": "b"}}', "the key 'name' is there twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    found = read(a=text)
    assert not found.documents
    assert said in str(found.problems[0])
    assert "a" in found.broken


def test_what_the_operator_would_refuse_is_not_applied() -> None:
    body = {"apiVersion": "statefuldb.dev/v1alpha1", "kind": "StatefulDatabase", "metadata": {"name": "orders"}}
    found = read(a=json.dumps(body))
    assert not found.documents
    assert Identity(kind="StatefulDatabase", namespace="shop", name="orders") in found.known


def test_an_object_that_is_in_two_documents_is_applied_once() -> None:
    found = read(a=GOOD % "one", b=GOOD % "one")
    assert [d.file for d in found.documents] == ["a"]
    assert "is in a document 1 too" in str(found.problems[0])


def test_lists_dates_and_comments_are_read_as_kubernetes_does() -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}
    listed = read(a=json.dumps({"apiVersion": "v1", "kind": "List", "items": [item]}), b="# nothing\n---\n", c="")
    assert names(listed) == ["one"]
    assert not listed.problems
    (document,) = read(a=GOOD % "one" + "  since: 2026-01-01\n".replace("  ", "")).documents
    assert document.body["since"] == "2026-01-01"


def test_what_stands_beside_a_separator_is_read_and_lines_end_as_anywhere() -> None:
    beside = read(a="--- {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}\n--- # more\n" + GOOD % "two")
    assert (names(beside), beside.problems) == (["one", "two"], ())
    elsewhere = read(a=f"{GOOD % 'one'}---\n{GOOD % 'two'}--- \n".replace("\n", "\r\n"))
    assert (names(elsewhere), elsewhere.problems) == (["one", "two"], ())


def test_a_mapping_that_is_merged_into_others_has_no_key_twice() -> None:
    merged = "x: {deep: &b {<<: &a {p: 1}, p: 2}}\ny: {<<: *b, p: 3}\n"
    (document,) = read(a=GOOD % "one" + merged).documents
    assert (document.body["x"]["deep"]["p"], document.body["y"]["p"]) == (2, 3)


def test_namespaces_come_first() -> None:
    found = read(a=GOOD % "one", b="apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n")
    assert names(found) == ["two", "one"]
    assert found.documents[0].identity.namespace == ""


_ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
_KEYS = st.sampled_from(
    ["apiVersion", "kind", "metadata", "name", "namespace", "spec", "annotations", "items", "storage"]
)
_VALUES = st.sampled_from(["v1", "ConfigMap", "StatefulDatabase", "List", "statefuldb.dev/v1alpha1"]) | _ATOMS
_BODIES = st.recursive(_VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5))


@settings(max_examples=60)
@given(st.lists(_BODIES, max_size=3), st.text(max_size=40))
def test_no_document_is_too_strange(bodies: list[object], text: str) -> None:
    found = read(a="\n---\n".join(map(json.dumps, bodies)), b=text)
    for document in found.documents:
        assert digest_of(document.body)
