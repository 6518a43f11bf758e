"""The world, as the ports ask for it: database, files, clock. Knows no verb and no page."""
