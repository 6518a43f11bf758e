"""Pyramid. Decode, call one service, encode; no rule, no query, no adapter."""
