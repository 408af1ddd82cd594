"""Measure one recording: `python -m ima.features.covarep IN.wav OUT.csv` (or OUT.parquet)."""

import argparse
import sys

import pyarrow.csv
import soundfile

from ima.features.covarep import extract
from ima.utils.errors import InputError
from ima.utils.io import whole_file, write_parquet


def main() -> int:
    """Write the 55 columns of a recording; return 1 where the recording will not do."""
    parser = argparse.ArgumentParser(prog="python -m ima.features.covarep", description=__doc__)
    parser.add_argument("recording")
    parser.add_argument("out", help="a .csv (without the column `measured`) or .parquet file")
    options = parser.parse_args()
    try:
        table = extract(*soundfile.read(options.recording))
    except (InputError, soundfile.LibsndfileError) as error:
        print(f"{options.recording}: {error}", file=sys.stderr)
        return 1
    if options.out.endswith(".csv"):
        with whole_file(options.out) as temporary:
            pyarrow.csv.write_csv(table.drop_columns(["measured"]), str(temporary))
    else:
        write_parquet(table, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
