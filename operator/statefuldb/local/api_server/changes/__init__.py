"""How an object changes: patches, server-side apply, and who owns which field."""
