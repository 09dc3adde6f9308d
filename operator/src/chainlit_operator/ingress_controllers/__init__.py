"""Annotations of ingress controllers: one file for each controller says what its annotations do to a route.

``registry`` finds the files; a new controller is one new file.
"""
