"""Verification: when an app is asked, through what, and what the answers mean."""
