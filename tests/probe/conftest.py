"""The probe is imported from where it lies: it is a distribution of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "probe/src"))
