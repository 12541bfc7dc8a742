"""What is published of a plan: conditions, waits and Events."""
