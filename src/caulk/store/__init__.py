"""What caulk remembers: the index of a large dump, so that the second question about it is instant."""
