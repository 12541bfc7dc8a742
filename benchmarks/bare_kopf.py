"""The least that kopf can do with the same objects: a handler that writes what it has seen into the status."""

from typing import Any

import kopf


@kopf.on.resume("statefuldb.dev", "v1alpha1", "statefuldatabases")
@kopf.on.create("statefuldb.dev", "v1alpha1", "statefuldatabases")
@kopf.on.update("statefuldb.dev", "v1alpha1", "statefuldatabases")
def changed(spec: Any, meta: Any, patch: Any, **_: Any) -> None:
    patch.status["observedGeneration"] = meta["generation"]
    patch.status["summary"] = f"cpus {spec['resources']['cpus']}"
