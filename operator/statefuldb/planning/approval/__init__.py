"""Plans as people are shown and release them: foreseen as a whole, put into words, and held back until then."""
