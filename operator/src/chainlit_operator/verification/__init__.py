"""Verification: when to verify an app, which requests to send, and what the answers mean."""
