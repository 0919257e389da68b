"""PromQL: expressions as trees, by the `promql-parser` library, and what rules are asked about them."""
