"""Code that several controllers share; no file here is a controller."""
