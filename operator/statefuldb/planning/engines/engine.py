"""The interface of an engine's pure half."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from statefuldb.model.errors import FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPaths:
    """Where one server keeps things; all absolute. It may write into all but `config_directory`."""

    data_directory: str
    run_directory: str
    config_directory: str

    @property
    def socket(self) -> str:
        """The Unix socket of the keeper's own connection."""
        return f"{self.run_directory}/server.sock"

    @property
    def config_file(self) -> str:
        """The rendered configuration."""
        return f"{self.config_directory}/server.cnf"

    @property
    def first_config_file(self) -> str:
        """The configuration that an empty database is made with."""
        return f"{self.config_directory}/first.cnf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOrders:
    """What one server is to be: where it listens, how much memory it has, and the user's options."""

    listen_address: str
    port: int
    server_id: int
    memory_bytes: int
    options: Mapping[str, str]
    user: str | None


class Engine(Protocol):
    """One database server's rules. No I/O."""

    name: str
    versions: tuple[str, ...]
    data_subdirectory: str

    def application_name(self, name: str) -> str:
        """Return what the schema and the account of an application are called, by the name that its data began with."""
        ...

    def option_errors(self, options: Mapping[str, str]) -> tuple[FieldError, ...]:
        """Return an error for each option of the user that the operator owns, with the reason."""
        ...

    def changed_errors(self, old: Mapping[str, str], new: Mapping[str, str]) -> tuple[FieldError, ...]:
        """Return an error for each option of the user that may not change once there is data."""
        ...

    def made_with(self, options: Mapping[str, str]) -> Mapping[str, str]:
        """Return what of the user's options data is made with, each in the one way to write it."""
        ...

    def sizing(self, memory_bytes: int) -> Mapping[str, str]:
        """Return the memory settings that follow from a member's memory; the user may override them."""
        ...

    def render_config(self, orders: ServerOrders, paths: ServerPaths) -> str:
        """Return the text of the configuration file."""
        ...

    def render_first_config(self, options: Mapping[str, str]) -> str:
        """Return the text of the configuration file for making an empty database."""
        ...

    def runs_version(self, wanted: str, real: str) -> bool:
        """Say whether a server of version `real` may open data of version `wanted`."""
        ...
