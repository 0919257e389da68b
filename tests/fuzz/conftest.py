"""The samples of the formats' tests are what is mutated here."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "formats"))
