"""Names for addresses: which file a mapping was, which functions an address lay in, and what is missing to tell."""
