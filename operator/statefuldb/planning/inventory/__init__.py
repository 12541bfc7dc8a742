"""The ledger against what the whole cluster holds, as commands show it."""
