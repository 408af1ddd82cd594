"""Process many items in parallel, in order and with bounded memory."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

#: Tasks in flight, and results waiting to be used, per process.
TASKS_PER_PROCESS = 8


def n_workers(processes: int, items: int, each: int) -> int:
    """Return the number of worker processes that is worthwhile for a number of items.

    Starting a process and its imports take seconds, enough for another to process thousands of
    items.

    Args:
        processes: the maximum number of processes.
        items: the number of items.
        each: the minimum number of items per process.

    Returns:
        A number from 1 to `processes`.
    """
    return max(1, min(processes, items // each))


def imap(
    function: Callable[..., T], tasks: Iterable[tuple[Any, ...]], processes: int
) -> Iterator[T]:
    """Yield `function(*task)` for every task, in order, computed in several processes.

    At most `TASKS_PER_PROCESS` tasks per process are submitted at a time, so memory does not grow
    with the number of tasks even if results are consumed slowly. joblib alone would run ahead.

    Args:
        function: a picklable function.
        tasks: its positional arguments, one tuple per call.
        processes: the number of processes; 1 runs in the current process.
    """
    import joblib

    if processes == 1:
        yield from itertools.starmap(function, tasks)
        return
    tasks = iter(tasks)
    with joblib.Parallel(n_jobs=processes, return_as="generator", batch_size=1) as parallel:
        while group := list(itertools.islice(tasks, TASKS_PER_PROCESS * processes)):
            yield from parallel(joblib.delayed(function)(*task) for task in group)
