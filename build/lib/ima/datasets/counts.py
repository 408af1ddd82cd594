"""Compare the size of a speech corpus with its nominal size; differences only cause a warning."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

#: One count. `level` is corpus, split, group, split_group or speaker; '' as split, group or speaker
#: means all of them. `unit` is what is counted: speakers, recordings or one_digit (recordings of
#: one digit).
COUNTS = pa.schema(
    [
        *(
            pa.field(name, pa.string(), nullable=False)
            for name in ("corpus", "level", "split", "group", "speaker", "unit")
        ),
        *(pa.field(name, pa.int32(), nullable=False) for name in ("found", "expected")),
    ]
)

_UNITS = {
    "speakers": "speakers",
    "recordings": "recordings",
    "one_digit": "recordings of one digit",
}
_LEVELS = {
    "corpus": (),
    "split": ("split",),
    "group": ("group",),
    "split_group": ("split", "group"),
    "speaker": ("split", "group", "speaker"),
}


class CountWarning(UserWarning):
    """A corpus does not have its nominal number of speakers or recordings."""


@dataclass(frozen=True)
class Expected:
    """The nominal size of a corpus.

    Args:
        speakers: number of speakers in each (split, group).
        recordings: recordings per speaker, as one number or by split.
        one_digit: recordings of a single digit per speaker; None if all recordings are.
        same_speakers: whether all splits have the same speakers, who are then counted once.
    """

    speakers: Mapping[tuple[str, str], int]
    recordings: int | Mapping[str, int]
    one_digit: int | None = None
    same_speakers: bool = False

    def of(self, unit: str, split: str = "", group: str = "") -> int:
        """Return the expected count of a unit; '' stands for every split or group."""
        if unit == "speakers" and self.same_speakers and not split:
            split = next(iter(self.speakers))[0]
        return sum(
            count * self.per_speaker(unit, of_split)
            for (of_split, of_group), count in self.speakers.items()
            if split in ("", of_split) and group in ("", of_group)
        )

    def per_speaker(self, unit: str, split: str) -> int:
        """Return the expected count of a unit for one speaker in one split."""
        if unit == "speakers":
            return 1
        if unit == "one_digit":
            return self.one_digit
        return self.recordings if isinstance(self.recordings, int) else self.recordings[split]


def count_report(items: pa.Table, expected: Expected) -> pa.Table:
    """Compare the numbers of speakers and recordings of a corpus with the nominal ones.

    Speakers without any recording have no row; they are missing from the totals.

    Args:
        items: RECORDINGS of one corpus, not empty.
        expected: the nominal numbers of the corpus.

    Returns:
        COUNTS for the corpus, each split, each group, each group of each split, and each speaker.

    Warns:
        CountWarning: issued once, with the first differences; the table has all of them.
    """
    units = ["speakers", "recordings"] + ["one_digit"] * (expected.one_digit is not None)
    items = items.to_pylist()
    # Groups without recordings get an empty list, hence a row with count 0.
    places = [*expected.speakers, *((row["split"], row["group"]) for row in items)]
    rows = []
    for level, names in _LEVELS.items():
        members = {} if level == "speaker" else {_key(names, *place): [] for place in places}
        for item in items:
            key = _key(names, item["split"], item["group"], item["speaker"])
            members.setdefault(key, []).append(item)
        for key, inside in sorted(members.items()):
            for unit in units[level == "speaker" :]:
                nominal = (
                    expected.per_speaker(unit, key[0])
                    if level == "speaker"
                    else expected.of(unit, *key[:2])
                )
                rows.append((items[0]["corpus"], level, *key, unit, _count(unit, inside), nominal))
    table = pa.Table.from_pylist(
        [dict(zip(COUNTS.names, row, strict=True)) for row in rows], schema=COUNTS
    )
    _warn(table)
    return table


def _key(names: tuple[str, ...], split: str, group: str, speaker: str = "") -> tuple[str, ...]:
    values = {"split": split, "group": group, "speaker": speaker}
    return tuple(value if name in names else "" for name, value in values.items())


def _count(unit: str, items: list[dict]) -> int:
    if unit == "speakers":
        return len({item["speaker"] for item in items})
    return sum(unit == "recordings" or len(item["digits"]) == 1 for item in items)


def _warn(table: pa.Table) -> None:
    rows = [row for row in table.to_pylist() if row["found"] != row["expected"]]
    if not rows:
        return
    lines = [
        f"{' '.join(filter(None, (row['split'], row['group'], row['speaker']))) or 'in all'}: "
        f"{row['found']:,} {_UNITS[row['unit']]}, nominally {row['expected']:,}"
        for row in rows[:8]
    ]
    more = f"; and {len(rows) - 8} more" if len(rows) > 8 else ""
    message = f"{rows[0]['corpus']} is not complete: {'; '.join(lines)}{more}"
    warnings.warn(message, CountWarning, stacklevel=4)
