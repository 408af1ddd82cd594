"""README's example gives what its comments say."""

import re

import pytest

from tests.checkout import ROOT


@pytest.mark.slow
def test_the_example_gives_what_its_comments_say():
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    about = re.search(r"y\[:50\].mean\(\) is (\S+), y\[50:\].mean\(\) is (\S+)", code).groups()
    values: dict = {}
    exec(code, values)
    assert values["y"][:50].mean() == pytest.approx(float(about[0]), abs=0.02)
    assert values["y"][50:].mean() == pytest.approx(float(about[1]), abs=0.02)
    assert f"# {values['z'].shape}" in code
