r"""Send the labels of a day, with columns id and clicked: `python nightly_labels.py labels.csv`.

    17 3 * * *  KULLBACK_API_KEY=... python nightly_labels.py /exports/labels-$(date +\%F).csv

It may run twice, and again after it was killed: labels are known by their ids, and count once. One
that was corrected since takes the place of the one before. The exit status is 1 where a file is
wrong, so that cron tells.
"""

import sys

import pandas as pd

from kullback_client import Client, InvalidInput


def main(path: str) -> int:
    """Send a file; 0 where all of it was taken."""
    labels = pd.read_csv(path, dtype={"id": str})
    with Client() as kb:
        try:
            taken = kb.monitor("visits").labels(
                labels, id="id", y_true="clicked", on_duplicate="correct", progress=_say
            )
        except InvalidInput as error:
            print(f"{path}, row {error.row}: {error}", file=sys.stderr)
            return 1
    print(
        f"{taken.accepted} labels, {taken.matched} matched, {taken.pending} wait, "
        f"{taken.duplicates} were there already"
    )
    return 0


def _say(done: int, of: int) -> None:
    print(f"{done} of {of}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
