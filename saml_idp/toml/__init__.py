"""Operators' TOML files, strictly: each key with its place, each mistake with its mend.

``places`` reads text, ``reading`` takes the known keys out of it, ``kinds``, ``addresses`` and
``nearby`` say what a value may be. It knows no setting and no policy by name.
"""
