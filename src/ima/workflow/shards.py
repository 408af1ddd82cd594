"""Shards: contiguous parts of a long extraction, each computed by a job of its own."""

from typing import NamedTuple


class Shard(NamedTuple):
    """One of `count` shards; `number` counts from 0."""

    number: int
    count: int

    @classmethod
    def of(cls, wildcards: object) -> "Shard":
        """Return the shard of a job, whose wildcard `scatteritem` is such as 2-of-8.

        A job without this wildcard has the only shard.
        """
        item = getattr(wildcards, "scatteritem", "1-of-1")
        number, count = map(int, item.split("-of-"))
        return cls(number - 1, count)

    def part(self, n: int) -> slice:
        """Return which of n elements belong to the shard; none if there are more shards than n."""
        return slice(n * self.number // self.count, n * (self.number + 1) // self.count)
