"""Runs of worlds: one seed, many, with fewer faults, and one life disturbed at every point."""
