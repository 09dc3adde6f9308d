"""The only code that imports kopf."""
