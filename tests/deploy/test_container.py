"""The image and the containers around it are what the deployment promises; the real build is the nightly's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from conftest_tools import module, tool

from shared.startup import SECRETS

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "compose.yaml"
OURS = ("app", "worker", "scheduler")
START = ROOT / "deploy" / "image" / "start"
PIN = re.compile(r"^([a-z0-9_.-]+)==(\S+?)(?: ;.*| \\)?$", re.MULTILINE)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return module("yaml").safe_load(COMPOSE.read_text(encoding="utf-8"))


def test_the_linter_of_dockerfiles_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists() and not shutil.which("hadolint") and not os.environ.get("CI"):
        pytest.skip("no hadolint here")
    command = [str(hadolint if hadolint.exists() else "hadolint"), "--ignore", "DL3006", str(DOCKERFILE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_image_is_pinned_by_argument_unprivileged_compiled_pruned_and_healthy():
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert re.search(r"^ARG BASE_IMAGE=python:3\.\d+-slim", text, re.MULTILINE)
    assert all("${BASE_IMAGE}" in line or " AS " in line for line in re.findall(r"^FROM .*", text, re.MULTILINE))
    assert "USER 10001:10001" in text
    assert "compileall" in text
    assert "prune.py" in text
    assert "HEALTHCHECK" in text
    assert text.count("--require-hashes") == 2
    assert "PYTHONDONTWRITEBYTECODE" not in text
    assert not re.search(r"/usr/(local/)?bin/python", text)  # the official base has it elsewhere than Debian


def test_only_what_runs_gets_into_the_image():
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    assert {line for line in lines if line.startswith("!")} == {"!functions", "!shared", "!deploy/image"}


def test_what_is_left_after_pruning_is_enough_for_office_hours_and_numbers(tmp_path, monkeypatch):
    import holidays
    import phonenumbers

    sys.path.insert(0, str(ROOT / "deploy" / "image"))
    import prune

    for package in (holidays, phonenumbers):
        source = Path(package.__file__).parent
        shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(prune, "SITE", tmp_path)
    prune.main([])
    assert [path.name for path in (tmp_path / "holidays" / "locale").iterdir()] == ["de"]
    used = """
import holidays, phonenumbers, sys
from datetime import date
from shared.mapping.phone import e164
from shared.office_hours import _holidays
assert holidays.__file__.startswith(sys.argv[1]) and phonenumbers.__file__.startswith(sys.argv[1])
for state in ("BW BY BE BB HB HH HE MV NI NW RP SL SN ST SH TH").split():
    assert date(2026, 10, 3) in _holidays(state, 2026)
assert str(e164("0511 123456")).endswith("+49511123456"), e164("0511 123456")
"""
    environ = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-c", used, str(tmp_path)]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-lambda.lock"])
def test_the_images_versions_are_those_that_were_tested(name):
    tested = dict(PIN.findall((ROOT / "requirements.lock").read_text()))
    ours = dict(PIN.findall((ROOT / "deploy" / "image" / name).read_text()))
    assert ours
    same = {package: version for package, version in ours.items() if package in tested}
    assert same == {package: tested[package] for package in same}
    assert set(ours) - set(tested) <= {"awslambdaric", "simplejson", "snapshot-restore-py"}
    assert not {"pytest", "moto", "hypothesis", "mypy"} & set(ours)


def test_compose_follows_its_specification():
    module("check_jsonschema")
    command = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, str(COMPOSE)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_every_name_in_compose_exists(compose):
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= services.keys(), name
        assert set(service.get("networks", [])) <= compose["networks"].keys(), name
        assert set(service.get("secrets", [])) <= compose["secrets"].keys(), name
        assert "configs" not in service, "podman-compose would leave it out without a word"
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or source.startswith("./deploy/"), volume
            assert source in compose["volumes"] or "/secrets/" in source or (ROOT / source).exists(), volume
        for port in service.get("ports", []):
            assert re.fullmatch(r"(127\.0\.0\.1:)?(\d+|\$\{[A-Z_]+:-\d+\}):\d+", port), port


def test_every_service_is_confined_and_has_time_to_end(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["stop_grace_period"] == "30s", name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert "latest" not in service["image"] or name in OURS, name


def test_only_the_gateway_is_reachable_from_outside(compose):
    outside = {
        name for name, service in compose["services"].items()
        for port in service.get("ports", []) if not port.startswith("127.0.0.1:")
    }  # fmt: skip
    assert outside == {"kong"}
    assert "state" not in compose["services"]["kong"]["networks"]
    assert compose["networks"]["state"] == {"internal": True}


def test_secrets_are_files_and_every_one_that_production_needs_is_there(compose):
    app = compose["services"]["app"]
    needed = {name for name in SECRETS if name != "CALENDAR_PUSH_TOKEN"} | {"REDIS_URL"}
    assert needed <= set(app["secrets"])
    for service in compose["services"].values():
        for key in service.get("environment", {}):
            assert key.endswith("__FILE") or not re.search("SECRET|PASSWORD|TOKEN|_KEY$", key), key


def test_redis_keeps_what_it_acknowledged(compose):
    lines = (ROOT / "deploy" / "compose" / "redis.conf").read_text().splitlines()
    for line in ("appendonly yes", "appendfsync always", "maxmemory-policy noeviction"):
        assert line in lines
    assert any(line.startswith("aclfile ") for line in lines)
    assert "redis-data:/data" in compose["services"]["redis"]["volumes"]


def test_the_first_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path):
    shutil.copytree(
        ROOT / "deploy" / "compose", tmp_path / "deploy" / "compose", ignore=shutil.ignore_patterns("secrets")
    )
    shutil.copy(ROOT / ".env.example", tmp_path)
    command = ["sh", str(tmp_path / "deploy" / "compose" / "init.sh")]
    subprocess.run(command, check=True, capture_output=True)
    folder = tmp_path / "deploy" / "compose" / "secrets"
    before = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert len(before["GATEWAY_SECRET"]) >= 32
    subprocess.run(command, check=True, capture_output=True)
    assert before == {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    settings = (tmp_path / "deploy" / "compose" / "settings.env").read_text()
    assert "ENVIRONMENT=production" in settings
    assert "ADVOWARE_KANZLEI=" in settings
    assert not re.search(r"(SECRET|PASSWORD|API_KEY)S?=", settings)


@contextmanager
def deployed_redis(folder: Path) -> Iterator[tuple[Callable[[], None], Callable[[], redis.Redis], str]]:
    """Run Redis with the deployment's configuration and users: how to restart it, its user's client, its address."""
    from redis_server import executable, free_port

    from shared.state.connection import connect

    shutil.copytree(
        ROOT / "deploy" / "compose", folder / "deploy" / "compose", ignore=shutil.ignore_patterns("secrets")
    )
    shutil.copy(ROOT / ".env.example", folder)
    subprocess.run(["sh", str(folder / "deploy" / "compose" / "init.sh")], check=True, capture_output=True)
    secrets = folder / "deploy" / "compose" / "secrets"
    port, data = free_port(), folder / "data"
    data.mkdir()
    subprocess.run(["chmod", "-R", "a+rwX", str(folder)], check=True)
    conf = (ROOT / "deploy" / "compose" / "redis.conf").read_text()
    conf = conf.replace("port 6379", f"port {port}").replace("/run/secrets", str(secrets)).replace("/data", str(data))
    (folder / "redis.conf").write_text(conf.replace("bind * -::*", "bind 127.0.0.1"))
    url = (secrets / "REDIS_URL").read_text().replace("redis:6379", f"127.0.0.1:{port}")
    servers: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        for server in servers:
            server.terminate()
            server.wait(10)
        servers[:] = [subprocess.Popen([executable(), str(folder / "redis.conf")], stdout=subprocess.DEVNULL)]
        _wait(connect(url, 1))

    try:
        start()
        yield start, lambda: connect(url, 1), f"redis://127.0.0.1:{port}"
    finally:
        for server in servers:
            server.terminate()
            server.wait(10)


def test_the_redis_user_of_the_deployment_can_do_all_that_the_application_does(tmp_path):
    from shared.state.connection import connect, durability_problems
    from shared.state.queue import PARTIES, WorkQueue

    with deployed_redis(tmp_path) as (_, client_of, bare):
        client = client_of()
        assert durability_problems(client) == []
        queue = WorkQueue(client, PARTIES)
        queue.add("update", ["6b04f6cb7536b613d"])
        assert queue.read("me", count=1, block_ms=10)
        claim = queue.claim("6b04f6cb7536b613d", "token")
        assert queue.done(claim)
        assert queue.sweep() == 0
        queue.steal("me", 0)
        client.info()
        for forbidden in (("FLUSHALL",), ("CONFIG", "SET", "appendonly", "no"), ("SHUTDOWN",), ("ACL", "LIST")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*forbidden)
        with pytest.raises(redis.exceptions.AuthenticationError):
            connect(bare, 0).ping()


def test_a_restart_of_redis_with_the_deployments_users_loses_no_transaction(tmp_path):
    """Redis replays transactions as the default user; one without permissions would drop every single one."""
    from shared.state.queue import PARTIES, WorkQueue

    with deployed_redis(tmp_path) as (restart, client_of, bare):
        WorkQueue(client_of(), PARTIES).add("update", ["6b04f6cb7536b613d"])
        restart()
        queue = WorkQueue(client_of(), PARTIES)
        assert queue.stats().depth == 1
        assert queue.read("me", count=1, block_ms=10)
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis.from_url(bare).ping()
    users = (tmp_path / "deploy" / "compose" / "secrets" / "redis-users.acl").read_text().splitlines()
    assert users[0] == "user default off ~* &* +@all"


def test_users_made_by_an_earlier_version_are_mended(tmp_path):
    shutil.copytree(
        ROOT / "deploy" / "compose", tmp_path / "deploy" / "compose", ignore=shutil.ignore_patterns("secrets")
    )
    shutil.copy(ROOT / ".env.example", tmp_path)
    users = tmp_path / "deploy" / "compose" / "secrets" / "redis-users.acl"
    users.parent.mkdir()
    users.write_text("user default off\nuser bitbylaw on #0 ~* &* +@all -@admin\n")
    subprocess.run(["sh", str(tmp_path / "deploy" / "compose" / "init.sh")], check=True, capture_output=True)
    assert users.read_text() == "user default off ~* &* +@all\nuser bitbylaw on #0 ~* &* +@all -@admin\n"


def _wait(client: Any) -> None:
    import time

    for _ in range(200):
        try:
            client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.05)


@pytest.fixture
def started(tmp_path):
    """Run the image's start script with stand-ins for the programs that it execs."""
    for name in ("gunicorn", "python3"):
        stub = tmp_path / "bin" / name
        stub.parent.mkdir(exist_ok=True)
        stub.write_text('#!/bin/sh\necho "$(basename "$0") $*"; env\n')
        stub.chmod(0o755)

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
        environment = {"PATH": path, "SECRETS_DIR": str(tmp_path / "secrets"), **environ}
        command = [tool("sh"), str(START), *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    ("arguments", "target", "expected"),
    [
        ([], "", "gunicorn -c functions/gunicorn_conf.py functions.app:app"),
        (["app"], "", "gunicorn -c functions/gunicorn_conf.py functions.app:app"),
        (["worker"], "", "python3 -m functions.worker"),
        (["scheduler"], "", "python3 deploy/image/scheduler.py"),
        (
            ["app"],
            "calendar_push",
            "gunicorn -c functions/gunicorn_conf.py "
            "functions_framework:create_app('calendar_push', 'functions/calendar_sync/main.py')",
        ),
    ],
)
def test_one_image_starts_every_role(started, arguments, target, expected):
    assert started(*arguments, FUNCTION_TARGET=target).stdout.splitlines()[0] == expected


@pytest.mark.parametrize("target", ["nobody", "x'); import os", "_once"])
def test_a_target_that_is_not_there_is_refused(started, target):
    answer = started("app", FUNCTION_TARGET=target)
    assert answer.returncode == 1
    assert answer.stderr.startswith("bitbylaw: start refused:")


def test_secrets_come_from_files_and_what_is_set_already_stays(started, tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "GATEWAY_SECRET").write_text('it\'s $(a) "secret"\n')
    (tmp_path / "secrets" / "LOG_LEVEL").write_text("DEBUG")
    (tmp_path / "secrets" / "key.json").write_text("{}")
    lines = started("app", LOG_LEVEL="INFO").stdout.splitlines()
    assert 'GATEWAY_SECRET=it\'s $(a) "secret"' in lines
    assert "LOG_LEVEL=INFO" in lines
