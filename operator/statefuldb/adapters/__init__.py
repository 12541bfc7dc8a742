"""Thin edges: each package implements a port with one library. They do not know each other."""
