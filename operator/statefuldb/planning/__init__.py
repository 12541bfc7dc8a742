"""Verbs: pure functions from what is desired and observed to what to do. No input or output, no clock.

`planner.plan` is where to begin; docs/architecture.md says what each package decides.
"""
