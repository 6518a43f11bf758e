"""Keys and hashes: the only home of cryptography and argon2. No I/O except key files."""
