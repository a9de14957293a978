"""What a server, a proxy or the way to them can do wrong, and what the client makes of it."""
