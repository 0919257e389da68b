"""What kind of memory a program has: from its mappings and its cgroup to parts that add up, and what would fit."""
