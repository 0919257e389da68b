"""The rules that caulk writes: recorded floors and growth, the alerts on them, scrape jobs, and their unit tests."""
