"""`python -m ganaug` and the `ganaug` command."""

from __future__ import annotations

import json
import os
import sys
import warnings

from ganaug.cli.group import cli
from ganaug.errors import GanaugError, UnwritableError
from ganaug.files.machine import share_the_cores
from ganaug.reporting import plain


def main() -> None:
    """Run the command line; turn the errors that a user can cause into two lines and an exit code."""
    warnings.showwarning = _show_warning
    share_the_cores(os.environ)
    try:
        cli(prog_name="ganaug")
    except (GanaugError, OSError) as raised:
        error = raised if isinstance(raised, GanaugError) else _of_the_system(raised)
        if "--json" in sys.argv:
            kind = type(error).__name__
            print(json.dumps({"error": {"kind": kind, "cause": error.cause, "fix": error.fix}}))
        print(f"Error: {plain(error.cause)}", file=sys.stderr)
        if error.fix:
            print(f"Fix:   {plain(error.fix)}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt as stop:
        print(f"Interrupted: {str(stop) or 'stopped'}.", file=sys.stderr)
        raise SystemExit(130) from None


def _of_the_system(error: OSError) -> GanaugError:
    """What the system refused and no better word was found for."""
    what = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    return UnwritableError(
        f"The operating system refused an operation: {what}.", "Check paths, permissions and free space."
    )


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"Warning: {plain(str(message))}", file=sys.stderr)


if __name__ == "__main__":
    main()
