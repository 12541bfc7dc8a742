"""Fifty manifests in a repository, which people edit, break, remove and revert at random."""

import random

import yaml

from e2e.conftest import Json, manifest
from e2e.repository import Repository

MANIFESTS, SERVING, PROTECTED = 50, ("db-00", "db-01"), ("db-01", "db-02", "db-03")
FOLDER = "prod/databases"
UNREADABLE = b"\xff\xfe not text"


def body_of(name: str, edit: int) -> Json:
    """Return the manifest of a database; `edit` tells one version of it from the others."""
    body = manifest(
        name,
        {"strategy": "PersistentVolume", "size": "1Gi"},
        replicas=1 if name in SERVING else 0,
        retention={"whenDeleted": "Delete" if edit % 3 == 0 else "Retain"},
        deletionProtection="Enabled" if name in PROTECTED else "Disabled",
    )
    body["metadata"]["labels"] = {"edit": str(edit)}
    if name not in SERVING:
        # An edit of what runs would be a restart, and this is about syncing.
        body["spec"]["resources"]["cpus"] = f"{100 + edit}m"
    return body


def broken(name: str, edit: int, chance: random.Random) -> str | bytes:
    """Return a manifest with one of the mistakes that people make."""
    body = body_of(name, edit)
    text = yaml.safe_dump(body)
    choices: list[str | bytes] = [
        text.replace("spec:", "spec: ["),
        text.replace("metadata:", "metadata:\n\t"),
        yaml.safe_dump({**body, "spec": {**body["spec"], "replicas": 3}}),
        yaml.safe_dump({**body, "kind": "Deployment"}),
        yaml.safe_dump({**body, "metadata": {}}),
        text + "<<<<<<< HEAD\n",
        UNREADABLE,
    ]
    return chance.choice(choices)


class Fleet:
    """What Git holds, and what the cluster must hold for that."""

    def __init__(self, repository: Repository, chance: random.Random) -> None:
        self._repository, self._chance = repository, chance
        self.names = [f"db-{number:02}" for number in range(MANIFESTS)]
        self.files: dict[str, Json | str | bytes] = {}
        self.wanted: dict[str, Json] = {}
        self._edit = 0

    def put(self, name: str, content: Json | str | bytes | None) -> None:
        path = f"{FOLDER}/{name}.yaml"
        if content is None:
            self.files.pop(name, None)
            self._repository.write(path, None)
        else:
            self.files[name] = content
            self._repository.write(path, yaml.safe_dump(content) if isinstance(content, dict) else content)

    def push(self, message: str) -> str:
        """Push what was put, and work out what the cluster must come to."""
        commit = self._repository.push(message)
        empty = not self.files
        unreadable = UNREADABLE in self.files.values()
        for name in self.names:
            content = self.files.get(name)
            if isinstance(content, dict):
                self.wanted[name] = content
            elif content is None and name not in PROTECTED and not empty and not unreadable:
                self.wanted.pop(name, None)
        return commit

    def fresh(self, name: str) -> Json:
        self._edit += 1
        return body_of(name, self._edit)

    def random_commit(self) -> str:
        """Make one commit of one or a few changes, as people do; return what it was."""
        chance = self._chance
        what = chance.choices(["edit", "break", "remove", "add", "revert", "empty"], [40, 20, 15, 15, 8, 2])[0]
        some = chance.sample(self.names, chance.randint(1, 4))
        before = dict(self.files)
        if what == "empty":
            for name in self.names:
                self.put(name, None)
            return what
        for name in some:
            if what == "revert":
                self._revert(name)
            elif what == "remove":
                self.put(name, None)
            elif what == "break" and name in before:
                self._edit += 1
                self.put(name, broken(name, self._edit, chance))
            elif what == "add" or name in before:
                self.put(name, self.fresh(name))
        if not before:
            for name in self.names:
                self.put(name, self.fresh(name))
            return "back again"
        return what

    def _revert(self, name: str) -> None:
        """Bring a file back as some earlier commit had it."""
        path = f"{FOLDER}/{name}.yaml"
        commits = self._repository.git("log", "--format=%H", "--diff-filter=AM", "--", path).split()
        if not commits:
            return
        self._repository.git("checkout", "--quiet", self._chance.choice(commits), "--", path)
        content = (self._repository.work / path).read_bytes()
        try:
            body = yaml.safe_load(content.decode())
        except (ValueError, yaml.YAMLError):
            body = None
        good = isinstance(body, dict) and body["metadata"].get("name") == name and body["kind"] == "StatefulDatabase"
        whole = good and body["spec"]["replicas"] < 2
        self.files[name] = body if whole else content
