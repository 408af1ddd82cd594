"""Tasks on several processes: results in order, no running ahead, errors as they are."""

import time

import pytest

from ima.utils.errors import InputError
from ima.utils.parallel import AHEAD, imap, n_workers


def square(n):
    return n * n


def fail_at(n):
    if n == 5:
        raise InputError("task 5", expected="another", found="this")
    return n


@pytest.mark.parametrize("processes", [1, 2])
def test_tasks_are_not_run_far_ahead_of_who_uses_them(processes):
    taken = []

    def tasks():
        for i in range(200):
            taken.append(i)
            yield (i,)

    results = imap(square, tasks(), processes)
    assert next(results) == 0
    time.sleep(0.5)  # time enough to run them all
    assert len(taken) <= AHEAD * processes
    assert list(results) == [i * i for i in range(1, 200)]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_a_task_is_raised(processes):
    results = imap(fail_at, ((i,) for i in range(20)), processes)
    with pytest.raises(InputError, match="task 5: expected another, found this"):
        list(results)
    assert list(imap(fail_at, iter(()), processes)) == []


@pytest.mark.parametrize(
    ("processes", "items", "expected"), [(4, 0, 1), (4, 999, 1), (4, 2500, 2), (4, 10**6, 4)]
)
def test_processes_that_are_worth_starting(processes, items, expected):
    assert n_workers(processes, items, each=1000) == expected
