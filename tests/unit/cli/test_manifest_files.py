"""Files that `apply -f` and `plan -f` are given: what cannot be read is refused in a sentence."""

from pathlib import Path

import pytest
import typer

from statefuldb.cli.databases import read_manifests
from statefuldb.cli.exit_codes import ExitCode


@pytest.mark.parametrize(
    "content",
    [b"\x7fELF\xd0\x00", b"[" * 100_000, b"a: [", b"- text\n", b"", b"kind: X\nspec: {}\nkind: Y\nspec: {}\n"],
    ids=["binary", "deep", "unclosed", "no-object", "empty", "two-in-one"],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "given"
    file.write_bytes(content)
    with pytest.raises(typer.Exit) as ended:
        read_manifests(str(file))
    assert ended.value.exit_code == ExitCode.USAGE
    assert str(file) in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("kind: X\nmetadata: {name: 2024}\n", "metadata.name: 2024 is no name"),
        ("kind: X\nmetadata: {name: yes}\n", "metadata.name: True is no name"),
        ("kind: X\nmetadata: {name: a, namespace: 7}\n", "metadata.namespace: 7 is no name"),
        ("kind: X\nmetadata: {name: Orders}\n", "'Orders' is no name"),
        ("kind: X\nmetadata: orders\n", "has no metadata"),
        ("kind: X\nmetadata:\n", "has no metadata"),
        ("kind: [X]\nmetadata: {name: a}\n", "is no kind"),
        ("kind: X\nmetadata: {name: a}\nspec: &a {engine: *a}\n", "aliases"),
        ("kind: X\nmetadata: {name: a}\nspec: {1: b}\n", "the key 1 is no text"),
        ("kind: X\nmetadata: {name: a}\nspec: {size: !!binary aGk=}\n", "bytes"),
    ],
)
def test_what_json_cannot_say_or_names_no_object_is_refused(
    tmp_path: Path, content: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "given"
    file.write_text(content)
    with pytest.raises(typer.Exit) as ended:
        read_manifests(str(file))
    assert ended.value.exit_code == ExitCode.USAGE
    assert said in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("kind: X\nmetadata: {name: a}\n---\nkind: X\nmetadata: {name: 7}\n", "b.yaml document 2: metadata.name: 7"),
        ("- text\n", "b.yaml document 1: is no manifest"),
        ("spec: {1: b}\n", "b.yaml document 1: the key 1"),
        ("a: [", "b.yaml is no YAML"),
        (b"\xff\xfe\xfd", "b.yaml cannot be read"),
    ],
)
def test_of_many_files_that_is_named_in_which_something_is_wrong(
    tmp_path: Path, content: str | bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text("kind: X\nmetadata: {name: a}\n")
    (tmp_path / "b.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(typer.Exit):
        read_manifests(str(tmp_path))
    assert said in capsys.readouterr().err.replace("\n", " ")


def test_a_time_is_a_text_as_for_kubectl(tmp_path: Path) -> None:
    """One that asks for a restart need not be quoted."""
    file = tmp_path / "given.yaml"
    annotations = "{statefuldb.dev/restarted-at: 2026-01-01T00:00:00Z, day: 2026-13-45}"
    file.write_text(f"kind: X\nmetadata: {{name: a, annotations: {annotations}}}")
    (body,) = read_manifests(str(file))
    assert body["metadata"]["annotations"] == {
        "statefuldb.dev/restarted-at": "2026-01-01T00:00:00Z",
        "day": "2026-13-45",
    }


def test_every_manifest_of_a_directory_is_read(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml", "c.json", "notes.txt", "d.yaml.bak"):
        (tmp_path / name).write_text(f'{{"kind": "{name}", "metadata": {{"name": "a"}}}}')
    (tmp_path / "below.yaml").mkdir()
    assert [body["kind"] for body in read_manifests(str(tmp_path))] == ["a.yaml", "b.yml", "c.json"]


def test_the_items_of_a_list_are_manifests(tmp_path: Path) -> None:
    """`kubectl get -o yaml` writes one."""
    file = tmp_path / "given.yaml"
    file.write_text("kind: List\nmetadata: {resourceVersion: ''}\nitems:\n- {kind: X, metadata: {name: a}}\n")
    assert [body["kind"] for body in read_manifests(str(file))] == ["X"]


def test_of_many_manifests_none_is_too_large_for_the_others(tmp_path: Path) -> None:
    values = ",".join(["1"] * 60_000)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(f"{{kind: X, metadata: {{name: a}}, spec: [{values}]}}")
    assert len(read_manifests(str(tmp_path))) == 2
