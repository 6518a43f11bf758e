"""Measures what PERFORMANCE asks for: `make bench`. Ratios of one run, never timed tests."""
