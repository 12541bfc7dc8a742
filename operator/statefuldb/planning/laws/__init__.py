"""The laws by what they are about, each as a value where it is broken. `invariants` puts them together."""
