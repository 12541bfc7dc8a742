"""What of a manifest's options reaches MariaDB: whole names of options that are the user's.

The server takes `-` for `_`, any case in a file, and the prefixes of `PREFIXES` before a name (MariaDB manual,
"mariadbd options", "Option prefixes"). It also takes the beginning of a name, and anything with a dot before it; those
forms are refused, since what they mean depends on the server's release.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from statefuldb.model.check import shown
from statefuldb.model.errors import FieldError
from statefuldb.planning.engines.mariadb_names import (
    DURABLE,
    MADE_WITH,
    OWNED,
    OWNED_BEGINNING,
    OWNED_BEGINNING_REASON,
    USERS,
)

# Each of them syncs the redo log; the others (littlesync, nosync, O_DIRECT_NO_FSYNC) may not.
FLUSH_METHODS = ("O_DIRECT", "fsync", "O_DSYNC")
PREFIXES = ("loose_", "skip_", "disable_", "enable_", "maximum_")

# They travel in one environment variable, which the kernel bounds at 128 KiB, and Mesos quotes them once more before.
OPTIONS_MAX_BYTES = 32 * 1024


def plain(name: str) -> str:
    """Return an option's name in the one spelling used here, without `loose_`, which only hides mistakes."""
    name = name.lower().replace("-", "_")
    while name.startswith("loose_"):
        name = name.removeprefix("loose_")
    return name


def option_errors(options: Mapping[str, str]) -> Iterator[FieldError]:
    """Yield an error for each option that the operator owns, that is none, or that would undo what it guarantees."""
    size = len(json.dumps(dict(options)))
    if size > OPTIONS_MAX_BYTES:
        allowed = f"at most {OPTIONS_MAX_BYTES} bytes in all, as JSON"
        yield FieldError(path="spec.engine.config", value=f"{size} bytes", allowed=allowed, fix="leave some out")
        return
    spelt: dict[str, str] = {}
    for name, value in options.items():
        path, option = f"spec.engine.config.{name}", plain(name)
        if (other := spelt.setdefault(option, name)) != name:
            yield _forbidden(path, value, f"this option is given already, as {other}")
        elif not value.isprintable():
            yield _forbidden(path, value, "a value is on one line, without control characters")
        elif option == "innodb_flush_method" and value.lower() not in map(str.lower, FLUSH_METHODS):
            allowed = f"one of {', '.join(FLUSH_METHODS)}: {DURABLE}"
            yield FieldError(path=path, value=shown(value), allowed=allowed, reason="Forbidden")
        elif not _is_the_users(option):
            yield _refused(path, option, value)


def _is_the_users(option: str) -> bool:
    """Say whether a name is, whole, that of an option of the user's, or turns one on or off by its prefix."""
    prefix = next((prefix for prefix in PREFIXES if option.startswith(prefix)), "")
    return option in USERS or (option.removeprefix(prefix) in USERS)


def _refused(path: str, option: str, value: str) -> FieldError:
    owned = _meant(option, OWNED)
    if owned is not None:
        meant = "" if owned == option else f", which the server may take for {owned},"
        return _forbidden(path, value, f"this option{meant} is not the user's: {OWNED[owned]}")
    if option.startswith(OWNED_BEGINNING):
        return _forbidden(path, value, f"this option is not the user's: {OWNED_BEGINNING_REASON}")
    near = get_close_matches(option, USERS, n=1)
    fix = f"remove it, or did you mean {near[0]}?" if near else "remove it"
    allowed = "the whole name of an option of MariaDB 10.11 that is the user's (docs/reference.md)"
    return FieldError(path=path, value=shown(value), allowed=allowed, fix=fix, reason="Forbidden")


def changed_errors(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[FieldError]:
    """Yield an error for each option that data was made with and that would change."""
    before, after = made_with(old), made_with(new)
    for option in MADE_WITH:
        was, value = before.get(option), after.get(option)
        if (was and was[1].lower()) != (value and value[1].lower()):
            yield FieldError(
                path=f"spec.engine.config.{(value or was or (option, ''))[0]}",
                value=shown(value[1] if value else None),
                allowed=f"it stays {shown(was[1])}" if was else "it stays absent",
                fix="the data was made with it: create another database, and load a dump there",
                reason="Immutable",
            )


def made_with(options: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return by option what data is made with: the name as the user wrote it, and its value."""
    meant = ((_meant(plain(name), MADE_WITH), (name, value)) for name, value in options.items())
    return {option: given for option, given in meant if option is not None}


def _meant(name: str, among: Collection[str]) -> str | None:
    """Return the option of `among` that the server may take `name` for."""
    while True:
        if name in among:
            return name
        meant = next((option for option in among if name and option.startswith(name)), None)
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)
        if meant is not None or prefix is None:
            return meant
        name = name.removeprefix(prefix)


def _forbidden(path: str, value: str, allowed: str) -> FieldError:
    return FieldError(path=path, value=shown(value), allowed=allowed, fix="remove it", reason="Forbidden")
