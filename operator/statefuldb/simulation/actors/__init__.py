"""Whoever acts in a world beside the operator: people of all kinds, applications, another framework."""
