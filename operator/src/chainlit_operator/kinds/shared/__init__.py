"""What several kinds have in common; no file here is a kind."""
