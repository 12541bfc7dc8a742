"""What policies and webhooks have to say about a request."""
