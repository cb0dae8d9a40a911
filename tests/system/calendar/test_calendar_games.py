"""A few seeded games of everybody at once: hands, accidents, flushes, second workers, then quiet and a reckoning."""

from __future__ import annotations

import pytest
import redis
from calendar_model import Game
from calendar_world import world

SEEDS = (3, 8, 14, 25, 38, 57, 102, 158, 237, 1001, 1005, 3061)  # each of the later ones once found something


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_end_both_sides_agree_and_nothing_is_lost_doubled_or_shown(state: redis.Redis, seed: int) -> None:
    full = seed % 2 == 0
    with world(state, full=full, direct=True) as w:
        w.google.restore_allowed, w.google.cancel_allowed = seed % 5 != 3, seed % 7 != 3
        if seed % 4 == 1:
            w.google.manners.tombstones = "id_only"
        game = Game(w, seed, full=full)
        game.restores, game.switches = (0.5 if seed % 6 == 2 else 0), seed % 3 == 0
        try:
            game.play()
        except AssertionError as error:
            error.add_note("\n".join(game.told))
            raise
