"""How commands end: one readable line on stderr and a documented exit code, never a traceback."""

from __future__ import annotations

import sys
import traceback
from typing import Any, NoReturn

import click

OK, WRONG, USAGE, UNKNOWN, UNAVAILABLE, INTERNAL = 0, 1, 2, 3, 4, 70

EPILOG = """\b
Exit codes:
  0   done, and all is well
  1   done, but something is wrong: out of step, a failed or held run, a finding of the doctor
  2   the command line cannot be understood
  3   there is no such employee, lock, hash or dead letter
  4   Redis or an upstream cannot be reached, or a setting is missing or unreadable
  70  an error of the program itself
"""


class Failure(click.ClickException):
    """An end with one line and a code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: Any = None) -> None:
        """Write the line."""
        click.echo(f"bitbylaw: {self.message}", file=file or sys.stderr)


def wrong() -> NoReturn:
    """End with the code for "done, but something is wrong"."""
    raise click.exceptions.Exit(WRONG)


class Careful(click.Group):
    """A group that turns every error into its line and code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise Failure(error.format_message(), USAGE) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except SystemExit as end:  # a start that is refused says why in its one line
            raise Failure(str(end.code).removeprefix("bitbylaw: "), UNAVAILABLE) from None
        except Exception as error:  # noqa: BLE001 - every failure becomes one line
            raise translated(error) from None


def translated(error: Exception) -> Failure:
    """Find the line and the code of any error."""
    from shared.errors import IntegrationError
    from shared.settings.base import SettingsError
    from shared.web.problems import is_redis_error

    if isinstance(error, SettingsError):
        return Failure(str(error), UNAVAILABLE)
    if is_redis_error(error):
        return Failure("Redis cannot be reached; check REDIS_URL and that the server runs", UNAVAILABLE)
    if isinstance(error, IntegrationError):
        code = {404: UNKNOWN, 409: UNKNOWN, 422: USAGE}.get(error.status, UNAVAILABLE)
        return Failure(f"{error.detail} [{error.slug}]", code)
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
    return Failure(f"internal error: {type(error).__name__} in {where}", INTERNAL)
