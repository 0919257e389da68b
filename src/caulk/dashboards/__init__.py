"""Grafana dashboards, built from short declarations of what each panel shows."""
