"""The kinds that are served, and what their objects must look like."""
