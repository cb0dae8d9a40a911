"""The processes of the demo: an embedded Redis, the upstream doubles, the app and one worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from sandbox.advoware import Account, Paths
from sandbox.embedded_redis import free_port, running

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30
WEBHOOK_SECRET, TEMPLATE_KEY = "demo-phone-secret", "demo-template-key"


@dataclass(frozen=True)
class Firm:
    """Where everything of the demo listens, and with which settings."""

    app: str
    worker: str
    advoware: str
    google: str
    env: dict[str, str]
    logs: Path


@contextmanager
def started(directory: Path, *, rate: int) -> Iterator[Firm]:
    """Start everything, wait until it answers, and end it afterwards."""
    ports = {name: free_port() for name in ("advoware", "google", "espocrm", "threecx", "app", "worker")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    key = directory / "service-account.json"
    with ExitStack() as stack:
        redis = stack.enter_context(running(aof=True, settings=("--maxmemory-policy", "noeviction")))
        start = _starter(stack, directory)
        sandbox = {**os.environ}
        start("advoware", ["-m", "sandbox.advoware", "--port", str(ports["advoware"]), "--seed", "demo"], sandbox)
        google = ["-m", "sandbox.google", "--port", str(ports["google"]), "--quota", str(rate)]
        start("google", [*google, "--service-account-out", str(key)], sandbox)
        crm = ["-m", "sandbox.espocrm", "--port", str(ports["espocrm"]), "--webhooks-every", "1"]
        start("espocrm", crm, {**sandbox, "PYTHONUNBUFFERED": "1"})
        start("threecx", ["-m", "sandbox.threecx", "--port", str(ports["threecx"])], sandbox)
        env = {**os.environ, **settings(urls, redis.url, key, rate)}
        for name in ("advoware", "google", "espocrm", "threecx"):
            wait_for(f"{urls[name]}/_sandbox/health")
        env |= registered(directory / "espocrm.log", env, urls["app"])
        app = ["-m", "gunicorn", "-c", "functions/gunicorn_conf.py", "functions.app:app"]
        start("app", app, env | {"PORT": str(ports["app"]), "HOST": "127.0.0.1"})
        start("worker", ["-m", "functions.worker"], env | {"WORKER_HTTP_PORT": str(ports["worker"])})
        wait_for(f"{urls['app']}/ready")
        wait_for(f"{urls['worker']}/health")
        yield Firm(urls["app"], urls["worker"], urls["advoware"], urls["google"], env, directory)


def settings(urls: dict[str, str], redis_url: str, key: Path, rate: int) -> dict[str, str]:
    """Write the settings of the app and the worker, as `.env` would hold them."""
    account, paths = Account(), Paths()
    from sandbox.advoware import Advoware
    from sandbox.threecx import ThreeCx

    return {
        **Advoware(account=account, paths=paths).env(urls["advoware"]),
        "REDIS_URL": redis_url,
        "GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH": str(key),
        "GOOGLE_CALENDAR_API_ENDPOINT": f"{urls['google']}/calendar/v3/",
        "GOOGLE_CALENDAR_RATE_PER_MINUTE": str(rate),
        "GOOGLE_CALENDAR_BURST": str(max(7, rate // 100)),
        "CALENDAR_FULL_CONTENT": "true",
        "CALENDAR_PUSH_URL": urls["app"],
        "CALENDAR_PUSH_TOKEN": "demo-token",
        **ThreeCx().env(urls["threecx"]),
        "THREECX_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "THREECX_TEMPLATE_KEY": TEMPLATE_KEY,
        "THREECX_EXTENSIONS": "102=user-berger",
        "ESPOCRM_DEFAULT_USER_ID": "user-empfang",
        "PUBLIC_BASE_URL": urls["app"],
        "LOG_LEVEL": "INFO",
    }


def registered(printed: Path, env: dict[str, str], base_url: str) -> dict[str, str]:
    """Take the keys that EspoCRM's double printed, and have `bitbylaw espocrm register` make the webhooks."""
    keys = dict(line.partition("=")[::2] for line in printed.read_text().splitlines() if "=" in line)
    command = [sys.executable, "-m", "functions.cli", "espocrm", "register", "--base-url", base_url]
    done = subprocess.run(command, cwd=ROOT, env=env | keys, capture_output=True, text=True, timeout=60, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("ESPOCRM_WEBHOOK_SECRETS=")]
    return keys | {"ESPOCRM_WEBHOOK_SECRETS": lines[0].partition("=")[2]}


def _starter(stack: ExitStack, directory: Path) -> Callable[[str, list[str], dict[str, str]], None]:
    def start(name: str, arguments: list[str], env: dict[str, str]) -> None:
        output = stack.enter_context((directory / f"{name}.log").open("wb"))
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=env, stdout=output, stderr=output)
        stack.callback(end, process)

    return start


def end(process: subprocess.Popen[Any]) -> None:
    """End a process we started: a wish first, force after 20 seconds."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(url: str) -> None:
    """Wait until something answers 200; raises when it takes too long."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            if requests.get(url, timeout=2).status_code == 200:
                return
        except requests.RequestException:
            pass
        if time.monotonic() > ends:
            raise TimeoutError(f"{url} does not answer; see the logs")
        time.sleep(0.1)
