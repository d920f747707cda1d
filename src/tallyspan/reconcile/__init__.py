"""Comparing the books with the provider's statements, and saying why they differ."""
