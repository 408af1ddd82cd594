"""Parallel tasks: ordered results, bounded look-ahead and unchanged errors."""

import time

import pytest

from ima.utils.errors import InputError
from ima.utils.parallel import TASKS_PER_PROCESS, imap, n_workers


def square(n):
    return n * n


def fail_at(n):
    if n == 5:
        raise InputError("task 5", expected="another", found="this")
    return n


@pytest.mark.parametrize("processes", [1, 2])
def test_imap_does_not_run_far_ahead_of_its_consumer(processes):
    taken = []

    def tasks():
        for i in range(200):
            taken.append(i)
            yield (i,)

    results = imap(square, tasks(), processes)
    assert next(results) == 0
    time.sleep(0.5)  # long enough to run all tasks
    assert len(taken) <= TASKS_PER_PROCESS * processes
    assert list(results) == [i * i for i in range(1, 200)]


@pytest.mark.parametrize("processes", [1, 2])
def test_imap_raises_the_error_of_a_task(processes):
    results = imap(fail_at, ((i,) for i in range(20)), processes)
    with pytest.raises(InputError, match="task 5: expected another, found this"):
        list(results)
    assert list(imap(fail_at, iter(()), processes)) == []


@pytest.mark.parametrize(
    ("processes", "items", "expected"), [(4, 0, 1), (4, 999, 1), (4, 2500, 2), (4, 10**6, 4)]
)
def test_n_workers_gives_each_process_enough_items(processes, items, expected):
    assert n_workers(processes, items, each=1000) == expected
