"""Field names as Kubernetes writes them (API conventions: camelCase)."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any


def camel(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` with every name, also inside, in camelCase."""
    return {camel_name(name): camel(value) if isinstance(value, Mapping) else value for name, value in fields.items()}


@cache
def camel_name(name: str) -> str:
    """Return a name of ours in camelCase."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)
