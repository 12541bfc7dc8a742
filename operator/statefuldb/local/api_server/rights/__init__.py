"""Who may do what: roles and their rules, tokens, reviews."""
