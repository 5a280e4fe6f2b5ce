"""Independent judges for the tests."""
