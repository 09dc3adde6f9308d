"""Keeps the root path of Chainlit apps true to the path of their route."""

__version__ = "0.2.0"
