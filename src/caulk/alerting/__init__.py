"""Rules for Prometheus: those that caulk writes, what is wrong with those that others wrote, and what each catches."""
