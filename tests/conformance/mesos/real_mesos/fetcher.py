#!/usr/bin/env python3
"""The fetcher, which the egg does not carry: brings the URIs of one task into its sandbox for the agent.

The agent hands the order over as JSON in MESOS_FETCHER_INFO, and takes any exit code but 0 for a failure. Paths and
http(s) are fetched, without the cache; what cannot be is told in the sandbox's `stderr`, as by Mesos's own fetcher.
"""

import gzip
import json
import os
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any

ARCHIVES = (".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip")


def fetch(uri: dict[str, Any], sandbox: Path) -> None:
    """Fetch one URI. Raises OSError and what archives raise."""
    source = uri["value"].lstrip()
    target = sandbox / uri.get("output_file", source.rpartition("/")[2])
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
    else:
        shutil.copyfile(source.removeprefix("file://"), target)
    if uri.get("executable", False):
        target.chmod(0o755)
    elif uri.get("extract", True) and source.endswith(ARCHIVES):
        shutil.unpack_archive(target, sandbox)
    elif uri.get("extract", True) and source.endswith(".gz"):
        with gzip.open(target) as packed, target.with_suffix("").open("wb") as file:
            shutil.copyfileobj(packed, file)


def main() -> int:
    """Fetch all that is ordered; return how that went."""
    order = json.loads(os.environ["MESOS_FETCHER_INFO"])
    for item in order["items"]:
        try:
            fetch(item["uri"], Path(order["sandbox_directory"]))
        except (OSError, ValueError, shutil.ReadError) as error:
            sys.stderr.write(f"Failed to fetch '{item['uri']['value']}': {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
