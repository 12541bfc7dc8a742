"""Database engines, the pure half: configuration text, sizing, which options are the operator's own."""

from collections.abc import Mapping

from statefuldb.model.check import shown
from statefuldb.model.errors import FieldError
from statefuldb.model.spec import DatabaseSpec
from statefuldb.planning.engines.engine import Engine
from statefuldb.planning.engines.mariadb import MariaDb

__all__ = ["Engine", "changed_errors", "engine_errors", "engine_of", "made_otherwise", "made_with"]

_ENGINES: dict[str, Engine] = {"MariaDB": MariaDb()}


def engine_of(name: str) -> Engine | None:
    """Return the rules of one engine, or None for one that is not built yet."""
    return _ENGINES.get(name)


def built() -> Mapping[str, Engine]:
    """Return every engine that is built, by its type."""
    return dict(_ENGINES)


def engine_errors(spec: DatabaseSpec) -> tuple[FieldError, ...]:
    """Return what is wrong with `spec.engine`: an engine or version not built yet, an option the operator owns."""
    engine = engine_of(spec.engine.type)
    if engine is None:
        return (
            FieldError(
                path="spec.engine.type",
                value=shown(spec.engine.type),
                allowed=f"possible now: {', '.join(_ENGINES)}",
                reason="NotSupportedYet",
            ),
        )
    if spec.engine.version not in engine.versions:
        return (
            FieldError(
                path="spec.engine.version",
                value=shown(spec.engine.version),
                allowed=f"possible now: {', '.join(engine.versions)}",
                reason="NotSupportedYet",
            ),
        )
    return engine.option_errors(spec.engine.config)


def changed_errors(
    old: DatabaseSpec, new: DatabaseSpec, made: Mapping[str, str] | None = None
) -> tuple[FieldError, ...]:
    """Return what of `spec.engine.config` may not change from `old` to `new`, as there is data.

    What that was `made` with may always be asked for, where it is known.
    """
    engine = engine_of(old.engine.type) if old.engine.type == new.engine.type else None
    if engine is None or not (errors := engine.changed_errors(old.engine.config, new.engine.config)):
        return ()
    return errors if made is None else engine.changed_errors(made, new.engine.config)


def made_with(engine: str, options: Mapping[str, str]) -> Mapping[str, str]:
    """Return what of these options data is made with, to be kept beside it."""
    rules = engine_of(engine)
    return rules.made_with(options) if rules is not None else {}


def made_otherwise(engine: str, made: Mapping[str, str], options: Mapping[str, str]) -> tuple[str, ...]:
    """Return in words what data was `made` with that these options do not ask for."""
    asked = made_with(engine, options)
    return tuple(
        f"it was made {f'with {option} {made[option]}' if option in made else f'without {option}'}, the manifest asks "
        f"for {asked.get(option, 'none')}"
        for option in sorted({*made, *asked})
        if made.get(option) != asked.get(option)
    )
