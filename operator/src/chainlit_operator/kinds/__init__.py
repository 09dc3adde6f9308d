"""Kubernetes objects as JSON, pruned: one file for each kind says how bytes become a record of ``domain/model``.

The structs name only the fields that decisions read; msgspec skips the rest of the document without building it.
``registry`` finds the files; a new kind is one new file.
"""
