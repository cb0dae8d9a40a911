"""An hour of ordinary traffic while processes are killed and stopped: each acknowledged thing is there, once."""

import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]
sys.path += [str(_TESTS / each) for each in ("", "faults", "system") if str(_TESTS / each) not in sys.path]
