"""Files that ship with the package."""

from importlib import resources
from pathlib import Path

DEFINITIONS = (
    *("statefuldatabases.yaml", "databasevolumes.yaml", "storageprofiles.yaml"),
    *("deletion-protection.yaml", "volume-release.yaml"),
)


def packaged(folder: str, name: str) -> str:
    """Return a file that ships with the package: beside it in an installation, at the top of a checkout."""
    installed = resources.files("statefuldb") / "_shipped" / folder / name
    if installed.is_file():
        return installed.read_text()
    return (Path(__file__).parents[3] / folder / name).read_text()
