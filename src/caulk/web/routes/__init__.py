"""What the page asks: a module a subject, each a table of endpoints."""
