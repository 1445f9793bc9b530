"""Becomes the program that the package brings along."""

import os
import sys


def main():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "intaglio")
    try:
        os.execv(program, ["intaglio", *sys.argv[1:]])
    except OSError as error:
        print(f"intaglio: {program}: {error.strerror}", file=sys.stderr)
        print("  Install the package again, for this kind of machine.", file=sys.stderr)
        return 4


if __name__ == "__main__":
    sys.exit(main())
