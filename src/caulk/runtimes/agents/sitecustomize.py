"""What CPython imports before the program, because caulk put this folder first in PYTHONPATH.

Starts the agent, takes the folder out of `sys.path` again and runs the `sitecustomize` that it hid, with that one's
errors left as they are. Any Python must be able to parse this file; the agent needs 3.8.
"""

import sys


def _start():
    here = __file__.replace("\\", "/").rpartition("/")[0]
    try:
        if sys.version_info >= (3, 8):
            import caulk_agent  # found only while the folder is on the path

            caulk_agent.start()
    except Exception:  # the program comes first: without the agent it runs as it always did
        pass
    sys.path[:] = [entry for entry in sys.path if entry != here]
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401 - the one that this file hides
    except ImportError as error:
        # No other is there: `site` looks its module up once more, so this one goes back.
        sys.modules["sitecustomize"] = mine
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise


_start()
