"""What ended workers counted stays, in one file of each kind, whatever state their files are in."""

import fcntl
import json
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from shared.worker_figures import Ended, undisturbed

COUNTER = json.dumps(["calls", "calls_total", {"to": "a"}, "Calls"])
OTHER = json.dumps(["calls", "calls_total", {"to": "b"}, "Calls"])
GAUGE = json.dumps(["depth", "depth", {}, "Depth"])
BUCKET = json.dumps(["took", "took_bucket", {"le": "1.0"}, "Took"])


def left_by(directory: Path, pid: int, kind: str, **figures: tuple[str, float, float]) -> None:
    file = MmapedDict(str(directory / f"{kind}_{pid}.db"))
    for key, value, at in figures.values():
        file.write_value(key, value, at)
    file.close()


def page(directory: Path) -> list[str]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))
    return sorted(generate_latest(registry).decode().splitlines())  # files come in any order


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for pid, times, depth in ((11, 3.0, 50.0), (12, 4.0, 70.0), (13, 5.0, 60.0)):
        left_by(tmp_path, pid, "counter", a=(COUNTER, times, 0.0), b=(OTHER, 1.0, 0.0))
        left_by(tmp_path, pid, "histogram", a=(BUCKET, times, 0.0))
        left_by(tmp_path, pid, "gauge_mostrecent", a=(GAUGE, depth, depth))
    return tmp_path


def test_a_page_says_the_same_when_workers_have_ended_and_reads_fewer_files(directory):
    before = page(directory)
    assert 'calls_total{to="a"} 12.0' in before
    assert "depth 70.0" in before
    ended = Ended(directory)
    for pid in (12, 11):
        ended.add(pid)
        assert page(directory) == before
    assert sorted(each.name for each in directory.glob("*.db")) == [
        "counter_0.db", "counter_13.db",
        "gauge_mostrecent_0.db", "gauge_mostrecent_13.db",
        "histogram_0.db", "histogram_13.db",
    ]  # fmt: skip


def test_nothing_is_moved_while_a_page_is_read_and_made_up_for_with_the_next(directory):
    ended, before = Ended(directory), page(directory)
    with undisturbed(directory):
        ended.add(11)
        assert len(list(directory.glob("*.db"))) == 9
    ended.add(12)
    assert len(list(directory.glob("*.db"))) == 6
    assert page(directory) == before


def test_pages_are_read_side_by_side(directory):
    with undisturbed(directory), (directory / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xff" + bytes(7) + b"\xff\x7f" + bytes(300)])
def test_what_a_killed_worker_left_half_made_ends_no_page_for_ever(directory, content):
    before = page(directory)
    (directory / "counter_14.db").write_bytes(content)
    with pytest.raises(Exception, match=r"corrupted|buffer"):
        page(directory)
    Ended(directory).add(14)
    assert page(directory) == before
