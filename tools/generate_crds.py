"""Writes crds/ from the model. A test fails where they differ."""

from pathlib import Path

import yaml

from statefuldb.model.schema import admission_policies, custom_resource_definitions

CRDS = Path(__file__).parent.parent / "crds"
HEADER = "# Generated from the model by `make crds`; edit operator/statefuldb/model/schema instead.\n"


def rendered() -> dict[str, str]:
    """Return the content of each file by its name."""
    databases, volumes, profiles = custom_resource_definitions()
    documents = {
        "statefuldatabases.yaml": [databases],
        "databasevolumes.yaml": [volumes],
        "storageprofiles.yaml": [profiles],
        **{f"{name}.yaml": list(documents) for name, documents in admission_policies().items()},
    }
    return {
        name: HEADER + yaml.safe_dump_all(content, sort_keys=False, width=100) for name, content in documents.items()
    }


if __name__ == "__main__":
    for name, content in rendered().items():
        (CRDS / name).write_text(content)
