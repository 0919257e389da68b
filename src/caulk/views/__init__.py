"""Renderings of any tree, table or analysis: one module each, the same answer to the same bytes."""
