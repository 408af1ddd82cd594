"""Work on many items by several processes, in order and in flat memory."""

import itertools
from collections.abc import Callable, Iterable, Iterator

#: Tasks, and results that wait, of each process at a time.
AHEAD = 8


def n_workers(processes: int, items: int, each: int) -> int:
    """Return how many processes `items` keep busy, when one should have at least `each` of them.

    To start one and import what it needs takes seconds, in which another does thousands of items.

    Args:
        processes: the most there may be.
        items: to work on.
        each: items that are worth a process.
    """
    return max(1, min(processes, items // each))


def imap(function: Callable, tasks: Iterable[tuple], processes: int) -> Iterator:
    """Yield `function(*task)` of every task, in order, from several processes.

    Tasks are taken, and results wait, `AHEAD` a process at a time: memory doesn't grow with the
    number of tasks, however slowly results are used (joblib alone would run all tasks ahead).

    Args:
        function: that other processes can import.
        tasks: its arguments.
        processes: how many; 1 is this one.
    """
    import joblib

    if processes == 1:
        yield from itertools.starmap(function, tasks)
        return
    tasks = iter(tasks)
    with joblib.Parallel(n_jobs=processes, return_as="generator", batch_size=1) as parallel:
        while group := list(itertools.islice(tasks, AHEAD * processes)):
            yield from parallel(joblib.delayed(function)(*task) for task in group)
