"""Frozen values and pure arithmetic: what flows between all other layers."""
