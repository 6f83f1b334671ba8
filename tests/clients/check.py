"""The smallest of test frames: named checks, one line each, a closing count, an exit code.

A client check is a program that talks to the server at CATAT_URL with a client of the outside world.
"""
import os
import sys
import traceback

URL = os.environ.get("CATAT_URL", "http://127.0.0.1:22828")
_checks = []


def check(function):
    """Registers a check; its name is a sentence with underscores."""
    _checks.append(function)
    return function


def main():
    """Runs all checks in the order of the file and ends the program."""
    failed = 0
    for function in _checks:
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok - {name}")
        except Exception:  # Whatever a check meets, the others still run.
            failed += 1
            print(f"not ok - {name}")
            traceback.print_exc(file=sys.stdout)
    print(f"{os.path.basename(sys.argv[0])}: {len(_checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
