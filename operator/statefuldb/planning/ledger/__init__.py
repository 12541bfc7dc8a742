"""Entries of the ledger: whose data each stands for, and what becomes of those that cannot be taken at their word."""
