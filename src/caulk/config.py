"""What `caulk.toml` says: targets, rules, thresholds and where notifications go."""
