"""How settings are read: classes whose fields are environment variables, every bad name in one message."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NoReturn, TypeVar, cast

from shared.settings.kinds import KeyFile, UnreadableError

T = TypeVar("T")
M = TypeVar("M", bound="Settings")


class SettingsError(Exception):
    """Some settings cannot be read; the message names every one of them and never shows a value."""


class Variable:
    """One setting: its variable, its default, how its text is read, whether the part works without it."""

    __slots__ = ("default", "name", "needed", "read")

    def __init__(self, name: str, default: Any, read: Callable[[str], Any], *, needed: bool) -> None:
        self.name, self.default, self.read, self.needed = name, default, read, needed


def env(name: str, default: T, read: Callable[[str], T], *, needed: bool = False) -> T:
    """Declare one setting; `read` raises UnreadableError."""
    return cast(T, Variable(name, default, read, needed=needed))


class Settings:
    """Base of all settings: frozen, each field known by its environment variable."""

    optional: ClassVar[bool] = False  # True: the all-in-one runs without this upstream
    variables: ClassVar[Mapping[str, Variable]] = {}
    families: ClassVar[Mapping[str, Callable[[str], Any]]] = {}  # how every variable with this prefix is read

    def __init_subclass__(cls) -> None:
        """Note the fields in the order of their declaration."""
        cls.variables = {field: each for field, each in vars(cls).items() if isinstance(each, Variable)}

    def __init__(self, source: Mapping[str, str] | None = None) -> None:
        """Read from these variables, by default none; an empty one counts as not set."""
        problems, values = {}, {}
        for field, variable in self.variables.items():
            given = source.get(variable.name, "") if source else ""
            try:
                values[field] = variable.read(given) if given.strip() else variable.default
            except UnreadableError as error:
                problems[variable.name] = f"{variable.name} ({error})"
        problems |= _unreadable(self.families, source or {})
        self.__dict__.update(values)
        if not problems and (objection := self.objection()):
            problems[""] = objection
        if problems:
            raise SettingsError("unreadable settings: " + ", ".join(problems[name] for name in sorted(problems)))

    def objection(self) -> str:
        """Name settings that do not go together, and say why; empty if all do."""
        return ""

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"settings are frozen: {name}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{field}={getattr(self, field)!r}' for field in self.variables)})"


def _unreadable(families: Mapping[str, Callable[[str], Any]], source: Mapping[str, str]) -> dict[str, str]:
    problems = {}
    for prefix, reader in families.items():
        for name in source:
            if name.startswith(prefix) and source[name].strip():
                try:
                    reader(source[name])
                except UnreadableError as error:
                    problems[name] = f"{name} ({error})"
    return problems


def variables(model: type[Settings]) -> dict[str, bool]:
    """List a model's variables and whether each is needed."""
    return {each.name: each.needed for each in model.variables.values()}


def read(model: type[M], environ: Mapping[str, str] | None = None) -> M:
    """Read one model, by default from the environment. Raises SettingsError naming every unreadable one."""
    return model(os.environ if environ is None else environ)


def missing(settings: Iterable[Settings]) -> list[str]:
    """Name the needed settings that are not there, in the order of their declaration."""
    return [
        each.name
        for part in settings
        for field, each in part.variables.items()
        if each.needed and not _is_there(getattr(part, field))
    ]


def _is_there(value: object) -> bool:
    """Tell whether a setting is there, and so is the file that it names."""
    return value is not None and not (isinstance(value, KeyFile) and not os.path.isfile(value))


def in_use(model: type[Settings], environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether anything of this part is configured at all."""
    source = os.environ if environ is None else environ
    return any(source.get(name, "").strip() for name in variables(model))
