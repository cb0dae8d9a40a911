"""How settings are read: plain pydantic models over environment variables, every bad name in one message."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

M = TypeVar("M", bound="Settings")


class SettingsError(Exception):
    """Some settings cannot be read; the message names every one of them and never shows a value."""


class Settings(BaseModel):
    """Base of all settings: frozen, each field known by its environment variable."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore", hide_input_in_errors=True)
    optional: ClassVar[bool] = False  # True: the all-in-one runs without this upstream


def env(name: str, default: Any = None, *, needed: bool = False, **limits: Any) -> Any:
    """Declare one setting: its variable, its default, whether the part works without it."""
    return Field(default=default, alias=name, json_schema_extra={"needed": needed}, validate_default=True, **limits)


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _pairs(separator: str) -> Any:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = {}
        for part in filter(None, (item.strip() for item in value.split(","))):
            key, found, rest = part.partition(separator)
            if not found or not key.strip() or not rest.strip():
                raise ValueError(f"expected a comma list of name{separator}value")
            pairs[key.strip()] = rest.strip()
        return pairs

    return read


CommaList = Annotated[tuple[str, ...], BeforeValidator(_split)]
EqualsMap = Annotated[dict[str, str], BeforeValidator(_pairs("="))]
ColonMap = Annotated[dict[str, SecretStr], BeforeValidator(_pairs(":"))]


def variables(model: type[Settings]) -> dict[str, bool]:
    """List a model's variables and whether each is needed."""
    return {
        str(field.alias): bool(isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("needed"))
        for field in model.model_fields.values()
    }


def read(model: type[M], environ: Mapping[str, str] | None = None) -> M:
    """Read one model; an empty variable counts as not set. Raises SettingsError naming every unreadable one."""
    source = os.environ if environ is None else environ
    given = {name: source[name] for name in variables(model) if source.get(name, "").strip()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        bad = sorted({_named(problem["loc"], problem["msg"]) for problem in error.errors(include_input=False)})
        raise SettingsError("unreadable settings: " + ", ".join(bad)) from None


def _named(place: Sequence[int | str], message: str) -> str:
    """Name a bad setting; a rule about several of them names them in its message."""
    return f"{place[0]} ({message})" if place else message


def missing(settings: Iterable[Settings]) -> list[str]:
    """Name the needed settings that are not there, in the order of their declaration."""
    names = []
    for part in settings:
        for field_name, field in type(part).model_fields.items():
            extra = field.json_schema_extra
            if isinstance(extra, dict) and extra.get("needed") and getattr(part, field_name) is None:
                names.append(str(field.alias))
    return names


def in_use(model: type[Settings], environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether anything of this part is configured at all."""
    source = os.environ if environ is None else environ
    return any(source.get(name, "").strip() for name in variables(model))
