"""What surrounds the storing of an object: checks, what the server writes itself, deletion, expiry."""
