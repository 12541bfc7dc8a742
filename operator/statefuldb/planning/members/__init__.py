"""One member: where it may run, its launch, what it waits for, its restarts, and its stop."""
