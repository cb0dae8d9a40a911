"""Fuzzing of everything that reads what outsiders send."""
