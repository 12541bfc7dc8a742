"""Commands of the command line that a message tells a person to type, as they can be typed."""

from statefuldb.model.identity import DatabaseKey


def command(key: DatabaseKey, words: str) -> str:
    """Return `statefuldb <words>` for the namespace of a database: the option stands before the command."""
    return f"statefuldb -n {key.namespace} {words}"


def see_output(key: DatabaseKey) -> str:
    """Return how a person sees what a member wrote."""
    return f"look at the member's output with `{command(key, f'logs {key.name}')}`"
