"""Code that several kinds share; no file here is a kind."""
