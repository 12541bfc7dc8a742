"""What `statefuldb doctor` makes of what it was told: findings with a remedy each. Pure."""
