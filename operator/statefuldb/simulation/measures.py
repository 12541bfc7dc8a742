"""What the operator counts, told to the world too."""

from collections.abc import Callable

from statefuldb.adapters.metrics import Metrics


class ToldMetrics(Metrics):
    """The operator's metrics. `on_effect` is told the kind of each action that was carried out."""

    def __init__(self, on_effect: Callable[[str], None]) -> None:
        super().__init__()
        self._on_effect = on_effect

    def effect(self, kind: str, outcome: str) -> None:
        """Count an action."""
        super().effect(kind, outcome)
        if outcome == "done":
            self._on_effect(kind)
