"""Finding members' directories by their identity markers. Reads only: no claim is taken, nothing is created."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from statefuldb.keeper.directory import KEEPER_FOLDER
from statefuldb.keeper.files import exists, read_json
from statefuldb.keeper.making import of_marker
from statefuldb.keeper.mounts import Mount, made_by_the_client, mount_of, shared_type
from statefuldb.model.found import FoundDirectory
from statefuldb.model.identity import DataIdentity
from statefuldb.model.keeper import SCAN_FILE

# The one trouble that hides nothing: not every agent has every root.
NO_ROOT = "there is no directory"
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_members(root: Path, on_trouble: Callable[[str], None]) -> Iterator[FoundDirectory]:
    """Yield each directory `<root>/<namespace>/<name>[/<uid>]/<ordinal>` that bears a marker, in order of its path.

    Symbolic links are not followed: a keeper refuses them too. What cannot be read is told in words.
    """
    for namespace in _folders(root, on_trouble):
        for database in _folders(namespace, on_trouble):
            for folder in _folders(database, on_trouble):
                members = _folders(folder, on_trouble) if _UID.fullmatch(folder.name) else [folder]
                for member in members:
                    if member.name.isdigit():
                        yield from _member(root, namespace.name, database.name, member, on_trouble)


def _member(
    root: Path, namespace: str, database: str, directory: Path, on_trouble: Callable[[str], None]
) -> Iterator[FoundDirectory]:
    marker = directory / KEEPER_FOLDER / "identity.json"
    try:
        read = read_json(marker)
        if read is None:
            return
        token = directory / KEEPER_FOLDER / "token"
        mount = _mount_of(root, directory)
        yield FoundDirectory(
            directory=str(directory),
            root=str(root),
            namespace=namespace,
            database=database,
            identity=DataIdentity(cluster=str(read["cluster"]), uid=str(read["uid"]), ordinal=int(read["ordinal"])),
            engine=str(read["engine"]),
            version=str(read.get("version", "")),
            token=int(token.read_text()) if token.exists() else 0,
            mount_point=mount.mount_point,
            source=mount.source,
            shared=shared_type(mount.filesystem),
            made_with=of_marker(read),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        on_trouble(f"{marker} cannot be read: {error}")


def _mount_of(root: Path, directory: Path) -> Mount:
    """Return the mount that a directory is served by: the root's, where the client made the others by itself.

    Agents say that they have that one.
    """
    above, found = mount_of(root.resolve()), mount_of(directory.resolve())
    return above if made_by_the_client(found, above) else found


def _folders(parent: Path, on_trouble: Callable[[str], None]) -> list[Path]:
    try:
        with os.scandir(parent) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError as error:
        on_trouble(f"{parent} cannot be read: {error.strerror}")
        return []


def main() -> int:
    """Write into the sandbox what is below each root that is named, a line of JSON each: `found`, or `trouble`."""
    sandbox = Path(os.environ.get("MESOS_SANDBOX", "."))
    with (sandbox / SCAN_FILE).open("w") as output:

        def tell(kind: str, what: object) -> None:
            output.write(json.dumps({kind: what}) + "\n")

        for root in map(Path, sys.argv[1:]):
            if exists(root):
                for found in find_members(root, lambda trouble: tell("trouble", trouble)):
                    tell("found", asdict(found))
            else:
                tell("trouble", f"{NO_ROOT} {root}")
    return 0


def read_output(text: str, host: str) -> tuple[list[FoundDirectory], list[str]]:
    """Return what `main` wrote on a host, directories and troubles. Raises ValueError, KeyError, TypeError else."""
    found, troubles = [], []
    for line in text.splitlines():
        said = json.loads(line)
        if "found" in said:
            identity = DataIdentity(**said["found"].pop("identity"))
            found.append(FoundDirectory(**{**said["found"], "identity": identity, "host": host}))
        else:
            troubles.append(str(said["trouble"]))
    return found, troubles


if __name__ == "__main__":
    sys.exit(main())
