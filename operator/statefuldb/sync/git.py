"""A git repository as a source: one commit, read from a bare copy. Nothing of it is ever checked out or executed.

The git binary is called by lists of arguments. Credentials are files that are named (credentials.py), or else git's own
business (credential helpers, ssh, netrc): a URL with a password or a token in it is refused, since everyone on the
machine sees arguments.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import urlsplit

from statefuldb.sync.credentials import GitCredentials
from statefuldb.sync.directory import FILE_LIMIT_BYTES, FOLDER_LINK, holds_manifests, is_hidden, shown, text_of
from statefuldb.sync.ports import Snapshot, SourceFile, Unreachable

FETCH_SECONDS = 120.0
DEFAULT = "HEAD"
PROTOCOLS = "file:git:http:https:ssh"
# What a surrounding git command (a hook, say) tells of its own repository.
_ELSEWHERE = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_PREFIX"),
        *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_SHALLOW_FILE", "GIT_QUARANTINE_PATH"),
    }
)
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TREE = re.compile(rb"([0-9a-f]+) tree [0-9]+")
# Links on the way lead out of the commit, or nowhere: so many bytes that follow say where to.
_NOWHERE = re.compile(rb"(?:symlink|dangling|loop|notdir) ([0-9]+)")
_FOLDER, _LINK, _FILES = "040000", "120000", ("100644", "100755")


class GitSource:
    """One revision (a branch, a tag, a commit) of a repository, and the folder `path` of it.

    `copy` is a directory of this process alone. It is disposable: where that cannot be used it is made anew.
    `credentials` is the folder of the files by which git logs in. Raises ValueError for what is not to be fetched.
    """

    changes_whole = True

    def __init__(self, *, url: str, revision: str, path: str, copy: Path, credentials: Path | None = None) -> None:
        address = urlsplit(url)
        if address.password or (address.username and address.scheme in ("http", "https")):
            raise ValueError(
                "what is in a URL is seen by everyone: leave passwords and tokens to git (docs/gitops/sync.md)"
            )
        if url.startswith("-"):
            raise ValueError("a URL does not begin with a dash")
        if not _REVISION.fullmatch(revision):
            raise ValueError(f"{revision!r} is no branch, tag or commit")
        self._url, self._revision, self._copy = url, revision, copy
        self._credentials = GitCredentials(url, credentials) if credentials is not None else None
        self._folder = path.strip("/")
        self._read: Snapshot | None = None

    def read(self) -> Snapshot:
        """Fetch the revision and return its files. Raises Unreachable."""
        if self._read is None or not _COMMIT.fullmatch(self._revision):
            try:
                self._read = self._fetched()
            except Unreachable:
                # A process that was killed leaves locks behind, and a disk that was full leaves damage.
                shutil.rmtree(self._copy, ignore_errors=True)
                self._read = self._fetched()
        return self._read

    def _fetched(self) -> Snapshot:
        """Return what the revision is now."""
        commit = self._fetch_into_copy()
        if self._read is not None and self._read.revision == commit:
            return self._read
        return Snapshot(revision=commit, files=tuple(self._files(commit)))

    def _fetch_into_copy(self) -> str:
        if not (self._copy / "HEAD").exists():
            self._copy.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._git("init", "--quiet", "--bare", "--template=", ".")
        revision = self._default_branch() if self._revision == DEFAULT else self._revision
        what: tuple[str, ...] = ("--depth=1", "--", self._url, revision)
        if _COMMIT.fullmatch(self._revision):
            # A server need not give away a commit by its name; what its branches and tags hold, it does.
            what = ("--", self._url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        self._git("fetch", "--quiet", "--no-recurse-submodules", "--force", "--no-tags", *what)
        wanted = self._revision if _COMMIT.fullmatch(self._revision) else "FETCH_HEAD"
        return self._git("rev-parse", "--verify", "--end-of-options", f"{wanted}^{{commit}}").decode().strip()

    def _default_branch(self) -> str:
        """Return what HEAD is in the repository, or its only branch where HEAD names one that was never pushed."""
        listed = self._git("ls-remote", "--", self._url, DEFAULT, "refs/heads/*").decode(errors="replace")
        names = [line.partition("\t")[2] for line in listed.splitlines()]
        if DEFAULT in names:
            return DEFAULT
        if len(names) != 1:
            raise Unreachable(f"{len(names)} branches, and none is the default one: name a revision")
        return names[0]

    def _files(self, commit: str) -> list[SourceFile]:
        scope = ("--", self._folder) if self._folder else ()
        listed = self._git("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit, *scope)
        files, blobs, links, folders = [], {}, {}, set()
        for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
            facts, _, name = entry.partition("\t")
            path = self._below(name)
            if not facts or is_hidden(path):
                continue
            mode, _, blob, size = facts.split()
            if mode == _FOLDER:
                folders.add(blob)
            elif mode == _LINK and not holds_manifests(path):
                links[name] = blob
            elif not holds_manifests(path) or mode not in (_LINK, *_FILES):
                continue
            elif not size.isdecimal():
                raise Unreachable(f"the copy of the repository is damaged: {path} is {size}")
            elif mode == _LINK:
                files.append(SourceFile(path=path, text=None, problem="is a link; links are not followed"))
            elif int(size) > FILE_LIMIT_BYTES:
                files.append(SourceFile(path=path, text=None, problem=f"is larger than {FILE_LIMIT_BYTES} bytes"))
            else:
                blobs[path] = blob
        for name, tree in (self._folders_of(commit, links) if links else {}).items():
            if tree not in folders:
                files.append(SourceFile(path=self._below(name), text=None, problem=FOLDER_LINK))
        files += [text_of(path, content) for path, content in zip(blobs, self._contents(blobs.values()), strict=True)]
        return sorted(files, key=lambda file: file.path)

    def _below(self, name: str) -> str:
        """Return the path below the folder of what is at a path of the repository."""
        return shown(name[len(self._folder) + 1 :] if self._folder else name)

    def _folders_of(self, commit: str, links: Mapping[str, str]) -> dict[str, str]:
        """Return those of these links, given with their blobs, that lead to a folder of the commit, with its tree."""
        written = (os.fsdecode(content) for content in self._contents(links.values()))
        # git takes no `.` in a link for what it is.
        targets = {link: normpath(join(dirname(link), to)) for link, to in zip(links, written, strict=True)}
        # It takes a line for each, without what ends a line elsewhere.
        plain = {link: to for link, to in targets.items() if "\n" not in to and not to.endswith("\r")}
        named = {link: to for link, to in plain.items() if not to.startswith(("/", ".."))}
        asked = "".join(f"{commit}:{to}\n" for to in named.values()).encode("utf-8", "surrogateescape")
        told, start = self._git("cat-file", "--batch-check", "--follow-symlinks", said=asked), 0
        found = {}
        for link in named:
            line = told[start : told.index(b"\n", start)]
            start += len(line) + 1
            if tree := _TREE.fullmatch(line):
                found[link] = tree[1].decode()
            elif nowhere := _NOWHERE.fullmatch(line):
                start += int(nowhere[1]) + 1
        return found

    def _contents(self, blobs: Collection[str]) -> Iterator[bytes]:
        """Yield the contents of blobs in their order, by one call of git."""
        found = self._git("cat-file", "--batch", said="".join(f"{blob}\n" for blob in blobs).encode())
        start = 0
        for _ in blobs:
            line = found.index(b"\n", start)
            facts = found[start:line].split()
            if len(facts) != 3:
                raise Unreachable(
                    f"the copy of the repository is damaged: {found[start:line].decode(errors='replace')}"
                )
            end = line + 1 + int(facts[2])
            yield found[line + 1 : end]
            start = end + 1

    def _git(self, *arguments: str, said: bytes = b"") -> bytes:
        """Run git in the copy on what is `said` to it, and return what it prints. Raises Unreachable."""
        login = self._credentials
        settings = ("-c", "gc.autoDetach=false", "-c", "core.hooksPath=/dev/null", *(login.settings if login else ()))
        environment = {
            **{name: value for name, value in os.environ.items() if name not in _ELSEWHERE},
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": PROTOCOLS,
            "GIT_DIR": str(self._copy),
            "LC_ALL": "C",
            **(login.environment if login else {}),
        }
        try:
            done = subprocess.run(
                ["git", *settings, *arguments],
                cwd=self._copy,
                env=environment,
                input=said,
                capture_output=True,
                timeout=FETCH_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise Unreachable("there is no git on this machine") from error
        except subprocess.TimeoutExpired as error:
            raise Unreachable(f"git {arguments[0]} did not end within {FETCH_SECONDS:g} s") from error
        if done.returncode:
            complaint = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise Unreachable(f"git {arguments[0]}: {complaint[-1]}"[:500])
        return done.stdout


def is_repository(folder: Path) -> bool:
    """Say whether a directory is itself a bare git repository, rather than one of manifests."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
