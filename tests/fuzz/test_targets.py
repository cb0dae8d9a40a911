"""Every seed and a few hundred random inputs through every target; `make fuzz` looks longer, with coverage."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.seeds import SEEDS
from fuzz.targets import TARGETS, timed


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_break_no_promise(name: str) -> None:
    for seed in SEEDS[name]:
        timed(TARGETS[name], seed)
    assert len(SEEDS[name]) >= 2


@pytest.mark.parametrize("name", TARGETS)
def test_random_bytes_and_spoilt_seeds_break_no_promise(name: str) -> None:
    spoilt = st.builds(
        lambda seed, place, new, cut: seed[: place % (len(seed) + 1)] + new + seed[place % (len(seed) + 1) + cut :],
        st.sampled_from(SEEDS[name]),
        st.integers(0, 5000),
        st.binary(max_size=12),
        st.integers(0, 12),
    )

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.binary(max_size=200), spoilt))
    def play(data: bytes) -> None:
        timed(TARGETS[name], data)

    play()
