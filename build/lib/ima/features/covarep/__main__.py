"""Extract features: `python -m ima.features.covarep IN.wav OUT.csv` (or OUT.parquet)."""

import argparse
import sys
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import soundfile

from ima.features.covarep import extract


def main() -> int:
    """Write the 55 features of a recording; return 1 if it cannot be read or measured, else 0."""
    parser = argparse.ArgumentParser(prog="python -m ima.features.covarep", description=__doc__)
    parser.add_argument("recording")
    parser.add_argument("out", help="a .csv (without the column `measured`) or .parquet file")
    options = parser.parse_args()
    try:
        table = extract(*soundfile.read(options.recording))
    except (ValueError, soundfile.LibsndfileError) as error:
        print(f"{options.recording}: {error}", file=sys.stderr)
        return 1
    part = Path(f"{options.out}.part")  # renamed at the end, so that writing is atomic
    if options.out.endswith(".csv"):
        pyarrow.csv.write_csv(table.drop_columns(["measured"]), str(part))
    else:
        pyarrow.parquet.write_table(table, part)
    part.replace(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
