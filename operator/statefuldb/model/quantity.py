"""Kubernetes quantities ("500m", "1.5", "2Gi"), exactly (Kubernetes API conventions, resource.Quantity)."""

import re
from decimal import Decimal

_SUFFIXES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
}
PATTERN = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")


def parse_quantity(value: object) -> Decimal:
    """Return the amount that a quantity names. Raises ValueError where it is none, or is negative."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a quantity")
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        raise ValueError("not a quantity")
    return Decimal(match[1]) * _SUFFIXES[match[2] or ""]


def render_bytes(amount: int) -> str:
    """Return a number of bytes as the shortest exact quantity with a binary suffix."""
    for suffix in ("Ti", "Gi", "Mi", "Ki"):
        unit = int(_SUFFIXES[suffix])
        if amount and amount % unit == 0:
            return f"{amount // unit}{suffix}"
    return str(amount)
