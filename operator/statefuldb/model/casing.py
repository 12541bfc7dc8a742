"""Field names as Kubernetes writes them (API conventions: camelCase), and back to ours."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any


def camel(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` with every name, also inside, in camelCase."""
    return {_camel(name): camel(value) if isinstance(value, Mapping) else value for name, value in fields.items()}


def snake(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` with every name, also inside, in snake_case."""
    return {_snake(name): snake(value) if isinstance(value, Mapping) else value for name, value in fields.items()}


@cache
def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


@cache
def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)
