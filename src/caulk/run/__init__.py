"""`caulk run`: a program started here, watched, captured at the moments that matter, and judged when it ends."""
