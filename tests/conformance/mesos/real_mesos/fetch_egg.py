"""Fetch the egg `mesos.scheduler` 1.11.0 by its name from the package index that pip itself uses by default.

usage: fetch_egg.py DESTINATION
"""

import json
import shutil
import sys
import urllib.request
from pathlib import Path

from pip._internal.models.index import PyPI

EGG = "mesos.scheduler-1.11.0-py2.7-linux-x86_64.egg"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


def main() -> None:
    """Write the egg to its destination, whole or not at all."""
    destination = Path(sys.argv[1])
    page = urllib.request.Request(f"{PyPI.simple_url}/mesos-scheduler/", headers={"Accept": SIMPLE_JSON})
    with urllib.request.urlopen(page, timeout=60) as answer:
        files = json.load(answer)["files"]
    url = next(each["url"] for each in files if each["filename"] == EGG)
    part = destination.with_suffix(".part")
    with urllib.request.urlopen(url, timeout=300) as answer, part.open("wb") as out:
        shutil.copyfileobj(answer, out)
    part.rename(destination)


if __name__ == "__main__":
    main()
