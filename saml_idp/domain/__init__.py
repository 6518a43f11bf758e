"""The rules of a login. Standard library only: no clock, no chance, no I/O, no logging."""
