"""Measured numbers as people read them."""

from __future__ import annotations

import pytest

from querylint.report.profile import units


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (0, "0 ms"), (0.0001, "1 \u00b5s"), (0.04, "40 \u00b5s"), (0.9994, "999 \u00b5s"), (1, "1 ms"), (3.16, "3.2 ms"), (9.96, "10 ms"),
        (210.4, "210 ms"),
        (999.4, "999 ms"), (999.6, "1 s"), (1240, "1.2 s"), (59_940, "60 s"), (60_000, "1 min"), (300_000, "5 min"), (11_160_000, "3.1 h"),
    ],
)  # fmt: skip
def test_times(milliseconds: float, said: str) -> None:
    assert units.time(milliseconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7140, "119 min"), (7200, "2 h"), (7800, "2 h 10 min"), (172_800, "2 days")],
)
def test_periods(seconds: float, said: str) -> None:
    assert units.period(seconds) == said


@pytest.mark.parametrize(("value", "said"), [(0, "0 %"), (0.01, "< 0.1 %"), (0.44, "0.4 %"), (0.96, "1 %"), (61.4, "61 %"), (100, "100 %")])
def test_shares(value: float, said: str) -> None:
    assert units.percent(value) == said


@pytest.mark.parametrize(("value", "said"), [(0.001, "< 0.01 \u00d7"), (0.05, "0.05 \u00d7"), (2.0, "2 \u00d7"), (1234, "1,234 \u00d7")])
def test_ratios(value: float, said: str) -> None:
    assert units.ratio(value) == said


@pytest.mark.parametrize(("value", "said"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (1_234_000, "1.2 MB"), (5e9, "5 GB")])
def test_sizes(value: int, said: str) -> None:
    assert units.size(value) == said
