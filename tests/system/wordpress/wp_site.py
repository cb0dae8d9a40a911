"""A real WordPress from Debian's packages with our plugin in it: own database, own web server, all below one folder."""

from __future__ import annotations

import getpass
import html
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes import ROOT, eventually, get
from redis_server import free_port

HERE = Path(__file__).parent
PACKAGED = Path("/usr/share/wordpress")
PLUGIN = ROOT / "deploy" / "wordpress" / "vermieterhelden-leads"
PHP = os.environ.get("PHP") or shutil.which("php") or "php"
MARIADB = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "mariadbd"
NEEDED = (PACKAGED / "wp-load.php", Path(MARIADB), Path(PHP))
_KEYS = "AUTH SECURE_AUTH LOGGED_IN NONCE".split()
_THEME = "<?php while (have_posts()) { the_post(); the_content(); }"


def is_here() -> bool:
    """Tell whether the packages are installed."""
    return all(each.exists() for each in NEEDED)


@dataclass
class Site:
    """A running site."""

    directory: Path
    url: str

    def command(self, name: str, argument: str = "") -> Any:
        """Let the site do something from the command line."""
        return json.loads(self.start(name, argument).communicate(timeout=60)[0])

    def start(self, name: str, argument: str = "") -> subprocess.Popen[bytes]:
        """Begin a command."""
        mail = f"sendmail_path={self.directory / 'sendmail'}"
        words = [PHP, "-d", mail, str(HERE / "site.php"), str(self.directory / "www"), name, argument]
        return subprocess.Popen(words, stdout=subprocess.PIPE)

    def mails(self) -> str:
        """Give every mail that the site has sent."""
        kept = self.directory / "mails"
        return kept.read_text() if kept.exists() else ""

    def cron(self) -> None:
        """Do what a system cron does once a minute."""
        assert get(f"{self.url}/wp-cron.php?doing_wp_cron")[0] == 200

    def form(self) -> dict[str, str]:
        """Look at the page with the form, as a browser does; gives its hidden fields and where it goes."""
        status, page, _ = get(f"{self.url}/anfrage/")
        assert status == 200, page
        text = page.decode()
        pairs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)
        action = re.search(r'<form method="post" class="vh-anfrage" action="([^"]+)"', text)
        assert action, text
        return {"action": html.unescape(action[1]), **{name: html.unescape(value) for name, value in pairs}}

    def submit(self, **entered: str) -> tuple[int, str]:
        """Fill in the form and send it as a browser does, redirects included; gives the status and what is shown."""
        hidden = self.form()
        body = urllib.parse.urlencode(hidden | entered).encode()
        headers = {"Accept": "text/html,application/xhtml+xml", "Content-Type": "application/x-www-form-urlencoded"}
        status, text, _ = get(hidden["action"], headers, body)
        return status, text.decode()


@contextmanager
def database(directory: Path) -> Iterator[str]:
    """Run MariaDB behind a socket in a folder, without a port; gives the socket."""
    user, data, socket = getpass.getuser(), directory / "db", directory / "sock"
    made = [f"--datadir={data}", f"--user={user}", "--innodb-log-file-size=8M"]
    with (directory / "db.log").open("ab") as log:
        subprocess.run(
            [
                "mariadb-install-db",
                "--no-defaults",
                *made,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            stdout=log,
            stderr=log,
        )
        words = [f"--socket={socket}", "--skip-networking", f"--pid-file={directory / 'pid'}", "--skip-log-bin"]
        running = subprocess.Popen([MARIADB, "--no-defaults", *made, *words], stdout=log, stderr=log)
    try:
        eventually(socket.exists, 60)
        yield str(socket)
    finally:
        running.kill()
        running.wait()


@contextmanager
def web_server(directory: Path, port: int) -> Iterator[None]:
    """Serve the site with several workers: with one, a site that calls itself hangs. They end with their parent."""
    words = [
        PHP,
        "-d",
        f"sendmail_path={directory / 'sendmail'}",
        "-S",
        f"127.0.0.1:{port}",
        "-t",
        str(directory / "www"),
    ]
    env = {**os.environ, "PHP_CLI_SERVER_WORKERS": "4"}
    with (directory / "web.log").open("ab") as log:
        running = subprocess.Popen(words, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        eventually(lambda: get(f"http://127.0.0.1:{port}/wp-includes/version.php")[0] == 200, 60)
        yield
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@contextmanager
def wordpress(directory: Path, leads_url: str, secret: str) -> Iterator[Site]:
    """Run a site whose forms go to the leads function."""
    port, www = free_port(), directory / "www"
    site = Site(directory, f"http://127.0.0.1:{port}")
    with ExitStack() as stack:
        socket = stack.enter_context(database(directory))
        _put_together(directory, site.url, socket, leads_url, secret)
        assert site.command("install") == "installed"
        shutil.copytree(PLUGIN, www / "wp-content" / "plugins" / PLUGIN.name)
        assert site.command("activate") is None
        stack.enter_context(web_server(directory, port))
        yield site


def _put_together(directory: Path, url: str, socket: str, leads_url: str, secret: str) -> None:
    www = directory / "www"
    shutil.copytree(PACKAGED, www, ignore=shutil.ignore_patterns("akismet", ".htaccess", "wp-config.php"))
    theme = www / "wp-content" / "themes" / "bare"
    theme.mkdir(parents=True)
    (theme / "style.css").write_text("/* Theme Name: Bare */")
    (theme / "index.php").write_text(_THEME)
    (www / "wp-config.php").write_text(_config(url, socket, leads_url, secret))
    sendmail = directory / "sendmail"
    sendmail.write_text(f"#!/bin/sh\ncat >> {directory / 'mails'}\n")
    sendmail.chmod(0o700)


def _config(url: str, socket: str, leads_url: str, secret: str) -> str:
    values: dict[str, str | bool] = {
        "DB_NAME": "wp",
        "DB_USER": "root",
        "DB_PASSWORD": "",
        "DB_HOST": f"localhost:{socket}",
        "DB_CHARSET": "utf8mb4",
        **{f"{name}_{kind}": f"{name}-{kind}-of-a-test" for name in _KEYS for kind in ("KEY", "SALT")},
        "WP_HOME": url,
        "WP_SITEURL": url,
        "WP_DEFAULT_THEME": "bare",
        "AUTOMATIC_UPDATER_DISABLED": True,
        "DISABLE_WP_CRON": True,  # a system cron does it, as the plugin's docs say
        "WP_HTTP_BLOCK_EXTERNAL": True,
        "WP_ACCESSIBLE_HOSTS": "127.0.0.1",
        "VH_LEADS_URL": leads_url,
        "VH_LEADS_SECRET": secret,
    }
    lines = [f"define({json.dumps(name)}, {json.dumps(value)});" for name, value in values.items()]
    database = "(new mysqli('localhost', 'root', '', '', 0, %s))->query('CREATE DATABASE IF NOT EXISTS wp');"
    return "\n".join(
        [
            "<?php",
            *lines,
            database % json.dumps(socket),
            "$table_prefix = 'wp_';",
            "defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');",
            "require_once ABSPATH . 'wp-settings.php';",
        ]
    )
