"""The master: its state machine, its agents and frameworks, its APIs."""
