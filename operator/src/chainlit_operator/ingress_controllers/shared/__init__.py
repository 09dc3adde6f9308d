"""What several controllers have in common; no file here is a controller."""
