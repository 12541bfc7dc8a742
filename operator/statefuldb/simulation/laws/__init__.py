"""The laws of docs/design.md, judged on a world."""
