"""`caulk schema`: the JSON Schema of `caulk.analysis/1`."""

import json

from caulk.views.json import schema


def main() -> None:
    """Print the JSON Schema of `caulk analyze -o json`."""
    print(json.dumps(schema(), indent=1))
