"""The demonstration that ``make run`` starts: a service that behaves like Jira, and its data.

Nothing outside imports it and nothing of it is active in a production start. Its users,
service and keys live in a folder of their own (``var/demo``).
"""
