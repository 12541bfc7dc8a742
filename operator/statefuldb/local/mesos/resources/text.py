"""Resources as Mesos writes them in its messages."""

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


def describe_all(resources: Iterable[Json]) -> str:
    """Return a list of resources in one line; of what is shared, how often it is in the list."""
    return "; ".join(describe(one) + ("<1>" if "shared" in one else "") for one in resources) or "{}"


def describe(resource: Json) -> str:
    """Return one resource: name, allocation, reservations, disk, amount."""
    text = str(resource.get("name", ""))
    if "allocation_info" in resource:
        text += f"(allocated: {resource['allocation_info'].get('role', '')})"
    if resource.get("reservations"):
        text += f"(reservations: [{','.join(_reservation(one) for one in resource['reservations'])}])"
    if "disk" in resource:
        text += f"[{_disk(resource['disk'])}]"
    if "shared" in resource:
        text += "<SHARED>"
    if "ranges" in resource:
        spans = (f"{span['begin']}-{span['end']}" for span in resource["ranges"].get("range", []))
        return f"{text}:[{', '.join(spans)}]"
    return f"{text}:{number(float(resource.get('scalar', {}).get('value', 0)))}"


def number(value: float) -> str:
    """Return a scalar: three decimals at most."""
    return f"{round(value, 3) + 0.0:.15g}"


def _reservation(reservation: Json) -> str:
    parts = [str(reservation.get("type", "UNKNOWN")), str(reservation.get("role", ""))]
    if "principal" in reservation:
        parts.append(str(reservation["principal"]))
    if "labels" in reservation:
        labels = (
            f"{one['key']}: {one['value']}" if "value" in one else one["key"]
            for one in reservation["labels"].get("labels", [])
        )
        parts.append("{" + ", ".join(labels) + "}")
    return f"({','.join(parts)})"


def _disk(disk: Json) -> str:
    text = ""
    source = disk.get("source")
    if source is not None:
        kind = str(source.get("type", "UNKNOWN"))
        root = source.get(kind.lower(), {}).get("root")
        text = f"{kind}:{root}" if root else kind
    if "persistence" in disk:
        text += ("," if text else "") + str(disk["persistence"].get("id", ""))
    if "volume" in disk:
        text += f":{disk['volume'].get('container_path', '')}"
    return text
