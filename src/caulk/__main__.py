"""The `caulk` command. `--version` is answered before anything is imported."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from caulk import __version__  # noqa: PLC0415

        print(f"caulk {__version__}")
        return
    from caulk.cli import carry_out  # noqa: PLC0415

    sys.exit(carry_out(sys.argv[1:]))


if __name__ == "__main__":
    main()
