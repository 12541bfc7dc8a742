"""The operator's side of the keeper protocol (docs/keeper.md)."""
