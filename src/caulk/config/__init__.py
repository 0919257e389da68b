"""What `caulk.toml` says: what is watched, by which rules, and where notifications go."""

from caulk.config.loading import load
from caulk.config.rules import Rule
from caulk.config.schema import Config

__all__ = ["Config", "Rule", "load"]
