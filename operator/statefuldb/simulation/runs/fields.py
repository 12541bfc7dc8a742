"""Every field that a manifest may have, out of the definitions themselves, with values to try (Acto, SOSP 2023).

Most values come from the schema: all of an enumeration, both ends of a range and what lies beyond them, the wrong type,
a text that is too long or does not match. What a text means, the schema does not say; those are listed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from statefuldb.model.schema import custom_resource_definitions

Json = dict[str, Any]
NONSENSE = "no such thing"
QUANTITIES = {
    "cpus": ("100m", "300m", 1, "2.5", "64"),
    "memory": ("256Mi", "384Mi", "1Gi", 536870912, "4Ti"),
    "size": ("1Gi", "1025Mi", "2Gi", "900Gi", "512Mi"),
    "min": ("1Mi", "1Gi", "3Gi"),
    "max": ("1Mi", "1Gi", "3Gi"),
}
MEANT: dict[str, tuple[Any, ...]] = {
    "engine.version": ("10.11", "11.4", "10"),
    "engine.config.{}": (150, "200", "abc", ""),
    "engine.image": ("registry.example/mariadb:10.11", ""),
    "hostPath.path": ("/var/lib/statefuldb", "/var/lib/statefuldb/inner", "/", "/etc", "/var/lib/statefuldb2"),
    "hostPath.roots[]": ("/var/lib/statefuldb", "/var/lib", "/elsewhere"),
    "dfs.mountPoint": ("/mnt/statefuldb", "/mnt/other", "/mnt"),
    "dfs.mountPoints[]": ("/mnt/statefuldb", "/mnt/other"),
    "dfs.subPath": ("team-a", "team-a/inner", "a/../../b"),
    "dfs.source": ("fs1:/volume",),
    "agentAttribute.name": ("statefuldb_dfs", "other"),
    "agentAttribute.value": ("/mnt/statefuldb", "other"),
    "attributes[].name": ("statefuldb_dfs", "rack"),
    "attributes[].value": ("/mnt/statefuldb", "other"),
    "mesosRole": ("statefuldb", "other", "statefuldb/team", "*", "a b", "../x"),
    "mesosRoles[]": ("statefuldb", "other"),
    "approvedPlan": ("0123456789abcdef",),
    "namespaces.names[]": ("default", "other"),
    "matchLabels.{}": ("default", "other"),
}
# What must stand beside a field in the same element of a list.
BESIDE: dict[str, Json] = {
    "attributes[].name": {"value": "/mnt/statefuldb"},
    "attributes[].value": {"name": "statefuldb_dfs"},
    "agentAttribute.name": {"value": "/mnt/statefuldb"},
    "agentAttribute.value": {"name": "statefuldb_dfs"},
}
KEYS = {"engine.config.{}": "max_connections", "matchLabels.{}": "kubernetes.io/metadata.name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A leaf of a spec: `path` has `[]` for an element and `{}` for a value. `bad` are values that must be refused."""

    kind: str
    path: str
    good: tuple[Any, ...]
    bad: tuple[Any, ...]

    def patch(self, value: Any) -> Json:
        """Return the merge patch of a spec that sets this field, and what must stand beside it."""
        return _nested(self.path.split("."), value, _meant(BESIDE, self.path) or {}, _meant(KEYS, self.path) or "")


def fields(kind: str) -> tuple[Field, ...]:
    """Return every field of a kind's spec."""
    definitions: tuple[Json, ...] = custom_resource_definitions()
    definition = next(crd for crd in definitions if crd["spec"]["names"]["kind"] == kind)
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return tuple(
        Field(kind=kind, path=path, good=_good(path, leaf), bad=_bad(leaf)) for path, leaf in _leaves(schema, "")
    )


def _leaves(schema: Json, path: str) -> Iterator[tuple[str, Json]]:
    if schema.get("properties"):
        for name, inner in schema["properties"].items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif schema.get("type") == "array":
        yield from _leaves(schema["items"], f"{path}[]")
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from _leaves(schema["additionalProperties"], path + ".{}")
    else:
        yield path, schema


def _good(path: str, leaf: Json) -> tuple[Any, ...]:
    """Return values that the schema allows; whether the operator can do them is for it to say."""
    meant = _meant(MEANT, path)
    if meant is not None:
        return tuple(meant)
    if "enum" in leaf:
        return tuple(leaf["enum"])
    if leaf.get("x-kubernetes-int-or-string"):
        return QUANTITIES[path.rpartition(".")[2]]
    match leaf["type"]:
        case "integer":
            low = leaf.get("minimum", 0)
            return (low, low + 1, 60, leaf.get("maximum", 2**40))
        case "number":
            return (0, 1.5)
        case "boolean":
            return (True, False)
        case "object":
            return ({}, {"anything": 1})
    return ("other",)


def _bad(leaf: Json) -> tuple[Any, ...]:
    """Return values that the schema must refuse."""
    if "enum" in leaf:
        return (NONSENSE, 7)
    if leaf.get("x-kubernetes-int-or-string"):
        return (True, [], *(("-1", "1Zi", "") if "pattern" in leaf else ()))
    match leaf["type"]:
        case "integer":
            return (
                "many",
                1.5,
                *((leaf["minimum"] - 1,) if "minimum" in leaf else ()),
                *((leaf["maximum"] + 1,) if "maximum" in leaf else ()),
            )
        case "number" | "boolean" | "object":
            return (NONSENSE,)
    too_long = ("x" * (leaf["maxLength"] + 1),) if "maxLength" in leaf else ()
    return (7, *too_long, *(("relative",) if leaf.get("pattern", "").startswith("^/") else ()))


def _meant(table: dict[str, Any], path: str) -> Any:
    return next((meant for end, meant in table.items() if path == end or path.endswith(f".{end}")), None)


def _nested(parts: list[str], value: Any, beside: Json, key: str) -> Json:
    name, *rest = parts
    last = not rest
    if name == "{}":
        return {key: value}
    if name.endswith("[]"):
        return {name[:-2]: [value if last else {**_nested(rest, value, {}, key), **beside}]}
    if last:
        return {name: value}
    return {
        name: {**(beside if len(rest) == 1 and not rest[0].endswith("[]") else {}), **_nested(rest, value, beside, key)}
    }
