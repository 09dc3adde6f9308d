"""Values files as teams have them: each is rendered, applied to an API server and held to linters, and some run."""
