"""Take out of the image what never runs: Google's and AWS's descriptions of other services, tests, and pip itself."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

SITE = Path(sysconfig.get_paths()["purelib"])
KEPT = {
    "googleapiclient/discovery_cache/documents": ("calendar.v3.json",),
    "botocore/data": ("sqs", "secretsmanager", "endpoints.json", "partitions.json", "_retry.json", "sdk-default"),
    "holidays/locale": ("de",),  # without its words a country's holidays cannot be made at all
    "holidays/locale/de/LC_MESSAGES": ("DE.mo",),
}
DROPPED = ("boto3/examples", "google/protobuf/compiler", "phonenumbers/geodata")
INSTALLERS = ("pip", "setuptools", "pkg_resources", "wheel")


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main(arguments: list[str]) -> None:
    """Prune the environment that runs this."""
    for folder, kept in KEPT.items():
        for path in (SITE / folder).glob("*"):
            if not path.name.startswith(kept):
                remove(path)
    for name in DROPPED:
        remove(SITE / name)
    for tests in [path for path in SITE.rglob("tests") if path.is_dir()]:
        remove(tests)
    if "--without-pip" in arguments:
        for name in INSTALLERS:
            remove(SITE / name)


if __name__ == "__main__":
    main(sys.argv[1:])
