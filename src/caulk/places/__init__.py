"""Where programs run: how to list them, read their memory, and reach into them."""
