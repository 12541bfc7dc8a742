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


def test_a_time_is_a_text_as_for_kubectl(tmp_path: Path) -> None:
    """One that asks for a restart need not be quoted."""
    file = tmp_path / "given.yaml"
    file.write_text("metadata: {annotations: {statefuldb.dev/restarted-at: 2026-01-01T00:00:00Z, day: 2026-13-45}}")
    (body,) = read_manifests(str(file))
    assert body["metadata"]["annotations"] == {
        "statefuldb.dev/restarted-at": "2026-01-01T00:00:00Z",
        "day": "2026-13-45",
    }


def test_every_manifest_of_a_directory_is_read(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml", "c.json", "notes.txt", "d.yaml.bak"):
        (tmp_path / name).write_text(f'{{"kind": "{name}"}}')
    (tmp_path / "below.yaml").mkdir()
    assert [body["kind"] for body in read_manifests(str(tmp_path))] == ["a.yaml", "b.yml", "c.json"]
