"""Runs a Python program with the control: `python -m caulk_probe app.py ARGUMENTS`, or `-m MODULE ARGUMENTS`."""

import os
import runpy
import sys

from caulk_probe import control


def main():
    """Starts the control, and becomes the program."""
    arguments = sys.argv[1:]
    if not arguments or (arguments[0] == "-m" and len(arguments) < 2):
        sys.exit("usage: python -m caulk_probe [-m MODULE | FILE] [ARGUMENT ...]")
    try:
        control.start()
    except (OSError, RuntimeError) as error:
        print("caulk-probe does not listen: {}".format(error), file=sys.stderr)
    if arguments[0] == "-m":
        sys.argv[:] = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = arguments
        sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")


main()
