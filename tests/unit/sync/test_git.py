"""A git source on real repositories: which revision, which files, and that nothing of it is ever executed."""

import os
from pathlib import Path

import pytest

from e2e.repository import Repository
from statefuldb.sync.directory import FOLDER_LINK, DirectorySource
from statefuldb.sync.git import GitSource, is_repository
from statefuldb.sync.ports import Snapshot, Unreachable


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def source(repository: Repository, revision: str = "main", path: str = "", url: str = "") -> GitSource:
    copy = repository.bare.parent / "copy"
    return GitSource(url=url or f"file://{repository.bare}", revision=revision, path=path, copy=copy)


def texts(snapshot: Snapshot) -> dict[str, str | None]:
    return {file.path: file.text for file in snapshot.files}


def test_a_branch_is_followed_also_when_it_is_rewritten(repository: Repository) -> None:
    repository.write("a.yaml", "one")
    first = repository.push("one")
    followed = source(repository)
    assert (followed.read().revision, texts(followed.read())) == (first, {"a.yaml": "one"})
    repository.write("a.yaml", "two")
    second = repository.push("two")
    assert (followed.read().revision, texts(followed.read())) == (second, {"a.yaml": "two"})
    repository.git("reset", "--quiet", "--hard", first)
    repository.git("push", "--quiet", "--force", "origin", "main")
    assert followed.read().revision == first


@pytest.mark.parametrize("by_path", [False, True])
def test_tags_commits_and_the_default_branch(repository: Repository, by_path: bool) -> None:
    repository.write("a.yaml", "one")
    first = repository.push("one")
    repository.git("tag", "-a", "-m", "a tag", "v1")
    repository.git("push", "--quiet", "origin", "v1")
    repository.write("a.yaml", "two")
    second = repository.push("two")
    url = str(repository.bare) if by_path else ""
    for revision, commit in (("v1", first), (first, first), (second, second), ("HEAD", second), ("main", second)):
        assert source(repository, revision, url=url).read().revision == commit
    assert is_repository(repository.bare)
    assert not is_repository(repository.work)


def test_the_only_branch_is_the_default_one_where_head_names_none(repository: Repository) -> None:
    repository.git("symbolic-ref", "HEAD", "refs/heads/master", cwd=repository.bare)
    repository.write("a.yaml", "one")
    first = repository.push("one")
    assert source(repository, "HEAD").read().revision == first
    repository.git("push", "--quiet", "origin", "main:other")
    with pytest.raises(Unreachable, match="2 branches"):
        source(repository, "HEAD").read()


def test_only_manifests_of_the_folder_are_read(repository: Repository) -> None:
    for path in ("prod/b.yml", "prod/deep/c.json", "prod/d.txt", "prod/.hidden/e.yaml", "production/f.yaml", "g.yaml"):
        repository.write(path, path)
    repository.write("prod/ä .yaml", "name")
    repository.push("all")
    found = texts(source(repository, path="/prod/").read())
    assert found == {"b.yml": "prod/b.yml", "deep/c.json": "prod/deep/c.json", "ä .yaml": "name"}
    assert texts(source(repository, path="elsewhere").read()) == {}


def test_what_cannot_be_read_is_named(repository: Repository) -> None:
    repository.write("binary.yaml", b"\xff")
    repository.write("large.yaml", b"#" * 1024 * 1024 + b"#")
    (repository.work / "link.yaml").symlink_to("/etc/passwd")
    repository.push("strange")
    said = {file.path: (file.text, file.problem) for file in source(repository).read().files}
    assert said["binary.yaml"] == (None, "is no UTF-8: invalid start byte at byte 0")
    assert said["large.yaml"] == (None, "is larger than 1048576 bytes")
    assert said["link.yaml"] == (None, "is a link; links are not followed")


def test_what_a_killed_fetch_left_behind_is_no_obstacle(repository: Repository) -> None:
    repository.write("a.yaml", "one")
    repository.push("one")
    source(repository).read()
    copy = repository.bare.parent / "copy"
    for name in ("shallow.lock", "FETCH_HEAD.lock", "config.lock"):
        (copy / name).touch()
    (copy / "HEAD").write_text("damaged")
    second = repository.push("two")
    assert source(repository).read().revision == second


def test_a_folder_that_is_a_link_to_one_that_is_not_read_is_named(repository: Repository, tmp_path: Path) -> None:
    repository.write("prod/deep/a.yaml", "one")
    repository.write("base/b.yaml", "two")
    repository.write("prod/.later/c.yaml", "three")
    links = {"again": "deep", "nowhere": "gone", "out": str(tmp_path), "base": "../base", "next": "./.later"}
    for name, target in links.items():
        (repository.work / "prod" / name).symlink_to(target)
    (repository.work / "prod" / "circle.yml").symlink_to("circle.yml")
    repository.push("links")
    said = {file.path: file.problem for file in source(repository, path="prod").read().files}
    assert said == {
        "base": FOLDER_LINK,
        "circle.yml": "is a link; links are not followed",
        "deep/a.yaml": "",
        "next": FOLDER_LINK,
    }
    said = {file.path: file.problem for file in DirectorySource(repository.work / "prod").read().files}
    circle = "cannot be read: Too many levels of symbolic links"
    expected = {"base": FOLDER_LINK, "circle.yml": circle, "deep/a.yaml": "", "next": FOLDER_LINK, "out": FOLDER_LINK}
    assert said == expected


@pytest.mark.parametrize("target", ["gone\r", "gone\rtree", "gone\r\r", ".", "a tree", "x/../..", "\r"])
def test_a_link_to_nowhere_hides_nothing(repository: Repository, target: str) -> None:
    """Of a checkout on Windows a carriage return may be left at its end."""
    repository.write("a.yaml", "one")
    for name in ("odd", "other"):
        (repository.work / name).symlink_to(target)
    repository.push("one")
    assert texts(source(repository).read()) == {"a.yaml": "one"}


def test_files_whose_names_are_no_utf8_are_all_read(repository: Repository) -> None:
    for byte in (b"\xe8", b"\xe9"):
        (repository.work / os.fsdecode(b"caf" + byte + b".yaml")).write_bytes(b"%d" % byte[0])
    repository.push("names of another time")
    found = {"caf\\xe8.yaml": "232", "caf\\xe9.yaml": "233"}
    assert texts(source(repository).read()) == found
    assert texts(DirectorySource(repository.work).read()) == found


@pytest.mark.parametrize("damage", [b"", b"noise", None])
def test_a_copy_that_is_damaged_is_made_anew(repository: Repository, damage: bytes | None) -> None:
    repository.write("a.yaml", "one")
    repository.push("one")
    source(repository).read()
    blob = repository.git("rev-parse", "HEAD:a.yaml")
    kept = repository.bare.parent / "copy" / "objects" / blob[:2] / blob[2:]
    kept.chmod(0o600)
    kept.unlink() if damage is None else kept.write_bytes(damage)
    assert texts(source(repository).read()) == {"a.yaml": "one"}


def test_what_is_not_there_is_unreachable_and_never_empty(repository: Repository) -> None:
    with pytest.raises(Unreachable):
        source(repository).read()
    repository.push("nothing")
    with pytest.raises(Unreachable, match="nowhere"):
        source(repository, revision="nowhere").read()
    followed = source(repository)
    followed.read()
    repository.bare.rename(repository.bare.with_suffix(".away"))
    with pytest.raises(Unreachable):
        followed.read()


def test_nothing_of_a_repository_is_executed(repository: Repository, tmp_path: Path) -> None:
    witness = tmp_path / "executed"
    hook = f"#!/bin/sh\ntouch {witness}\n"
    repository.write("a.yaml", "one")
    repository.write(".gitattributes", "*.yaml filter=evil")
    repository.write(".gitmodules", f'[submodule "x"]\n path = x\n url = ext::sh -c "touch {witness}"\n')
    repository.push("one")
    for name in ("post-checkout", "reference-transaction", "post-update"):
        path = repository.bare / "hooks" / name
        path.write_text(hook)
        path.chmod(0o755)
    assert texts(source(repository).read()) == {"a.yaml": "one"}
    with pytest.raises(Unreachable, match="not allowed"):
        source(repository, url=f'ext::sh -c "touch {witness}"').read()
    assert not witness.exists()
    assert sorted(os.listdir(tmp_path)) == ["copy", "fleet.git", "work"]


@pytest.mark.parametrize(
    ("url", "revision"),
    [
        ("https://me:secret@git.invalid/x", "main"),
        ("https://token@git.invalid/x", "main"),
        ("ssh://me:secret@git.invalid/x", "main"),
        ("--upload-pack=touch /tmp/x", "main"),
        ("https://git.invalid/x", "--force"),
        ("https://git.invalid/x", "main:refs/heads/other"),
        ("https://git.invalid/x", ""),
    ],
)
def test_what_could_leak_or_be_an_option_is_refused(tmp_path: Path, url: str, revision: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        GitSource(url=url, revision=revision, path="", copy=tmp_path)
    assert "secret" not in str(refused.value)
