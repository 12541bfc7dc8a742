"""Nouns: frozen, closed types that every other layer speaks. No input or output, no clock, no randomness."""
