"""Names of roles: what Mesos refuses, in its words, and which role is above which (Mesos docs, roles)."""

INVALID_CHARACTERS = "\t\n\v\f\r \x7f"


def refused(role: str) -> str | None:
    """Return why a role's name is invalid, or None."""
    if role == "*":
        return None
    if role.startswith("/"):
        return f"Role '{role}' cannot start with a slash"
    if role.endswith("/"):
        return f"Role '{role}' cannot end with a slash"
    if "//" in role:
        return f"Role '{role}' cannot contain two adjacent slashes"
    if not role:
        return "Role names cannot be the empty string"
    for component in role.split("/"):
        if component in (".", "..", "*"):
            return f"Role '{role}' cannot include '{component}' as a component"
        if component.startswith("-"):
            return f"Role component '{component}' is invalid because it starts with a dash"
        if any(character in INVALID_CHARACTERS for character in component):
            return f"Role component '{component}' is invalid because it contains backspace or whitespace"
    return None


def is_below(role: str, other: str) -> bool:
    """Say whether a role is a strict descendant of another one."""
    return role.startswith(other + "/")
