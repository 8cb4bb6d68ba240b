"""Write the reference county: ``python -m tests.county --out FOLDER [--lv] [--counties N]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.county.build import cache_file, cache_folder, write_county


def main(arguments: list[str]) -> None:
    """Write one county as a sealed snapshot."""
    parser = argparse.ArgumentParser(prog="python -m tests.county", description=__doc__)
    parser.add_argument("--out", type=Path, default=cache_folder(), help="folder; default: the user's cache")
    parser.add_argument("--lv", action="store_true", help="with low-voltage trees")
    parser.add_argument("--counties", type=int, default=1, help="so many copies side by side")
    options = parser.parse_args(arguments)
    if options.counties < 1:
        parser.error(f"argument --counties: {options.counties} is less than 1")
    path = cache_file(options.out, with_lv=options.lv, counties=options.counties)
    sealed, size = write_county(path, with_lv=options.lv, counties=options.counties)
    print(f"{path}  {len(sealed.nodes)} nodes, {size / 1e6:.1f} MB, sha256 {sealed.sha256}")


if __name__ == "__main__":
    main(sys.argv[1:])
