"""The chart, rendered by Helm's own engine (its Go library, as helm-python-sdk ships it)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts" / "statefuldb"
RELEASE, NAMESPACE = "demo", "databases"
MASTERS = {"mesos": {"masters": ["master-1.example:5050"]}}
Json = dict[str, Any]


def helm() -> Any:
    """Return Helm, or skip with the reason."""
    return pytest.importorskip("helm_python", reason="Helm is not installed: make test installs it")


def rendered(values: Mapping[str, Any]) -> list[Json]:
    """Return the objects that the chart makes of `values`, the schema having been asked first, as `helm install` does.

    Raises HelmError where values or templates refuse.
    """
    with helm().Chart.load(str(CHART)) as chart:
        chart.validate_schema(dict(values))
        files = chart.render(dict(values), name=RELEASE, namespace=NAMESPACE)
    texts = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    return [body for text in texts for body in yaml.safe_load_all(text) if body]


def one(objects: list[Json], kind: str, name: str = "") -> Json:
    """Return the one object of a kind, and of a name where that is given."""
    (found,) = [o for o in objects if o["kind"] == kind and name in ("", o["metadata"]["name"])]
    return found
