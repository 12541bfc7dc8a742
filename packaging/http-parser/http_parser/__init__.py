"""Pure-Python stand-in for http-parser."""
