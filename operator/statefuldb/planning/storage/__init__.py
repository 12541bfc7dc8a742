"""Storage strategies: where a member's data lives, what is bundled with it, and when it may be opened elsewhere.

A strategy only says what to ask of Mesos and of the keeper; it does no I/O. `strategy_of` is the one place that maps
the name in a manifest to its implementation.
"""

from dataclasses import replace

from statefuldb.model.spec import DiskType, StorageSpec, Strategy
from statefuldb.planning.storage.dfs import Dfs
from statefuldb.planning.storage.host_path import HostPath
from statefuldb.planning.storage.persistent_volume import PersistentVolume
from statefuldb.planning.storage.strategy import Capabilities, StorageStrategy

__all__ = ["Capabilities", "StorageStrategy", "capabilities_of", "strategy_of"]

_STRATEGIES: dict[Strategy, StorageStrategy] = {
    Strategy.HOST_PATH: HostPath(),
    Strategy.DFS: Dfs(),
    Strategy.PERSISTENT_VOLUME: PersistentVolume(),
}


def strategy_of(strategy: Strategy) -> StorageStrategy:
    """Return the rules of one strategy."""
    return _STRATEGIES[strategy]


def capabilities_of(storage: StorageSpec) -> Capabilities:
    """Return what data on this storage can do. A Mount disk is one volume, as large as it is."""
    capabilities = strategy_of(storage.strategy).capabilities
    volume = storage.persistent_volume
    fixed = volume is not None and volume.disk_type is DiskType.MOUNT
    return replace(capabilities, resizable=False) if fixed else capabilities
