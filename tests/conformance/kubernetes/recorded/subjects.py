"""What the recorder worked on: its definition and its objects."""

from typing import Any

from conformance.kubernetes.things import definition as things_definition

Json = dict[str, Any]
GROUP = "/apis/example.dev/v1"
SPACE = f"{GROUP}/namespaces/semtest/statefuldatabases"


def definition(group: str = "example.dev") -> Json:
    """Return the recorder's definition: that of the things under other names."""
    made = things_definition("things", group)
    made["metadata"]["name"] = f"statefuldatabases.{group}"
    made["spec"]["names"] = {
        "kind": "StatefulDatabase",
        "plural": "statefuldatabases",
        "singular": "statefuldatabase",
        "shortNames": ["sdb"],
        "categories": ["all", "databases"],
    }
    made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "A stateful database."
    return made


def database(name: str, *, engine: str = "postgres", finalizers: tuple[str, ...] = (), **metadata: Any) -> Json:
    """Return an object of the recorder's kind."""
    held = {"finalizers": list(finalizers)} if finalizers else {}
    about = {"name": name, **metadata, **held}
    return {"apiVersion": "example.dev/v1", "kind": "StatefulDatabase", "metadata": about, "spec": {"engine": engine}}
