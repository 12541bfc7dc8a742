"""Bringing what `CommandInfo.uris` names into a sandbox, as the agent's fetcher does (Mesos docs, fetcher).

Paths of this machine and http(s), without the cache. It runs as a process of its own, whose exit code is all that the
agent learns; what went wrong is in the sandbox's `stderr`.
"""

import asyncio
import gzip
import json
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any

Json = dict[str, Any]
ARCHIVES = (".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip")
NETWORK = ("http://", "https://")
# Without a byte for so long a download has stalled (--fetcher_stall_timeout).
STALL_SECONDS = 60.0


async def fetch_all(uris: list[Json], sandbox: Path) -> str | None:
    """Fetch all into a sandbox; return why its task cannot be, in the agent's words, or None."""
    refused = next((reason for reason in map(_refused, uris) if reason is not None), None)
    if refused is not None:
        return f"Failed to launch container: Could not fetch: {refused}"
    with (sandbox / "stdout").open("ab") as out, (sandbox / "stderr").open("ab") as err:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "statefuldb.local.mesos.agent.fetching", str(sandbox)),
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=err,
        )
    await process.communicate(json.dumps(uris).encode())
    if process.returncode == 0:
        return None
    container = f"Failed to fetch all URIs for container '{sandbox.name}'"
    return f"Failed to launch container: {container}: exited with status {process.returncode}"


def _refused(uri: Json) -> str | None:
    """Return why a URI is not even tried, or None (slave/containerizer/fetcher.cpp)."""
    value = uri["value"]
    _, scheme, place = value.partition("://")
    if any(each in value for each in "\\'\0"):
        return "Illegal characters in URI"
    if scheme and not place.partition("/")[2]:
        return f"Malformed URI (missing path): {value}"
    if uri.get("output_file", "").startswith("/"):
        return "URI output file must be within the sandbox directory"
    return None


def fetch(uri: Json, sandbox: Path) -> None:
    """Fetch one URI: executable, or extracted where it is an archive and nobody says otherwise. Raises OSError."""
    source = uri["value"].lstrip()
    target = sandbox / uri.get("output_file", source.rpartition("/")[2])
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.startswith(NETWORK):
        with urllib.request.urlopen(source, timeout=STALL_SECONDS) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
    else:
        shutil.copyfile(source.removeprefix("file://"), target)
    if uri.get("executable", False):
        target.chmod(0o755)
    elif uri.get("extract", True):
        _extract(target, sandbox)


def _extract(archive: Path, sandbox: Path) -> None:
    """Extract an archive beside itself; what is none stays as it is."""
    if archive.name.endswith(ARCHIVES):
        shutil.unpack_archive(archive, sandbox)
    elif archive.suffix == ".gz":
        with gzip.open(archive) as packed, (sandbox / archive.stem).open("wb") as file:
            shutil.copyfileobj(packed, file)


def main() -> int:
    """Fetch the URIs on standard input, a JSON list, into the directory that the argument names."""
    for uri in json.load(sys.stdin):
        try:
            fetch(uri, Path(sys.argv[1]))
        except (OSError, EOFError, ValueError) as error:
            sys.stderr.write(f"Failed to fetch '{uri['value']}': {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
