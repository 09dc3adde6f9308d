"""What the tests of the pure core do not see."""
