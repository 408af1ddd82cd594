"""The message of `InputError`, and its transfer between processes."""

import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

from ima.utils.errors import InputError


def test_message_has_every_part():
    error = InputError("config, R", expected="a number in [0, 1]", found=2, do="Set another.")
    assert str(error) == "config, R: expected a number in [0, 1], found 2. Set another."
    assert str(InputError("x", expected="a", found="b")) == "x: expected a, found b."
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("do", ["", "Do this."])
def test_pickling_keeps_every_part(do):
    error = InputError("file", expected="this", found=["that", 1], do=do)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is InputError and str(copy) == str(error)
    assert (copy.where, copy.expected, copy.found, copy.do) == ("file", "this", ["that", 1], do)


class Special(InputError):
    pass


def test_pickling_keeps_the_subclass():
    assert type(pickle.loads(pickle.dumps(Special("x", expected="a", found="b")))) is Special


def fail(_):
    raise InputError("clip.wav", expected="audio", found="noise", do="Look at it.")


def test_error_crosses_process_boundaries():
    with ProcessPoolExecutor(1) as pool, pytest.raises(InputError) as caught:
        list(pool.map(fail, [0]))
    assert caught.value.found == "noise"
    assert str(caught.value) == "clip.wav: expected audio, found noise. Look at it."
