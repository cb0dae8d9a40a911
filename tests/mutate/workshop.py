"""Copies of the tree in which files are changed and tests run; the tree itself is never touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from .mutant import Mutant

Ending = Literal["killed", "survived", "timeout"]
LEFT_BEHIND = (".venv", ".git", ".hypothesis", ".mypy_cache", ".ruff_cache", ".fuzz", "node_modules", "*.egg-info")


class Workshop:
    """One copy, and one process that runs tests in it."""

    def __init__(self, root: Path, place: Path) -> None:
        self.root, self.tree, self.tmp = root, place / "tree", place / "tmp"
        self.tmp.mkdir(parents=True)
        shutil.copytree(root, self.tree, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = Path(__file__).parents[2]
        env = kept | {"PYTHONPATH": f"{self.tree}:{own}", "TMPDIR": str(self.tmp)}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.mutate.server"],
            cwd=self.tree,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear()

    def measure(self, tests: Sequence[str]) -> float:
        """Run tests with nothing changed, which must be green; gives how long they took."""
        for _ in range(2):  # a busy machine may spoil the first attempt
            answer = self._run(tests, 600, keep=True)
            if answer["code"] == 0:
                break
        assert answer["code"] == 0, f"not green without any change: {' '.join(tests)}\n{self.log.read_text()[-3000:]}"
        return float(answer["seconds"])

    def judge(self, mutant: Mutant, tests: Sequence[str], seconds: float) -> Ending:
        """Change one thing, run the tests, and put it back."""
        place = self.tree / mutant.path
        source = place.read_text("utf-8")
        place.write_text(mutant.text(source), "utf-8")
        try:
            code = self._run(tests, seconds, keep=False)["code"]
        finally:
            place.write_text(source, "utf-8")
        if code is None:
            return "timeout"
        assert code != 5, f"no tests: {' '.join(tests)}"
        return "killed" if code else "survived"

    @property
    def log(self) -> Path:
        """Say where the tests of the last run told what happened."""
        return self.tmp / "log"

    def _run(self, tests: Sequence[str], seconds: float, *, keep: bool) -> dict[str, Any]:
        order = {"tests": list(tests), "seconds": seconds, "keep": keep}
        order |= {"log": str(self.log), "base": str(self.tmp / "base")}
        assert self._server.stdin
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._server.stdout
        line = self._server.stdout.readline()
        assert line, "the process that runs the tests has ended"
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process."""
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
