"""Tests of the prober against real servers on loopback."""
