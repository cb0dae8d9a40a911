"""Take the fields out of whatever envelope a sender puts around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from functions.leads.aliases import folded_key

Pairs = list[tuple[str, Any]]
_ENVELOPES = frozenset({"data", "lead", "fields", "form_submit_data", "payload", "form_fields"})
_SECTIONS = frozenset({"person", "adresse", "anliegen", "kontaktwunsch", "quelle", "technik"})
_PREFIXED = frozenset({"objekt", "gegenseite"})
_IGNORED = frozenset({"schema"})


@dataclass(frozen=True)
class Fields:
    """The fields of a form as pairs, with the form's own name and the plugin that seems to speak."""

    pairs: Pairs
    form_names: tuple[str, ...]
    plugin: str


def unwrap(values: Mapping[str, Any]) -> Fields:
    """Find the fields; of a body that carries a plugin's whole configuration only what the visitor entered."""
    names = list(_form_names(values))
    plugin = _plugin(values)
    if isinstance(values.get("form_submit_data"), Mapping):
        values = {"form_submit_data": values["form_submit_data"]}
    pairs = list(_flat(values))
    return Fields(pairs, tuple(dict.fromkeys(names)), plugin)


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = folded_key(key.rpartition("/")[2] if key.startswith(("lead/", "data/", "fields/")) else key)
        if isinstance(value, Mapping):
            yield from _section(name, key, value)
        elif name not in _IGNORED:
            yield key.rpartition("/")[2] or key, one(value)


def _section(name: str, key: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if name in _ENVELOPES or name in _SECTIONS:
        yield from _fields(value)
    elif name in _PREFIXED:
        yield from ((f"{name}_{folded_key(inner)}", one(each)) for inner, each in value.items())
    elif name == "meta":
        yield from ((inner, one(_raw(each))) for inner, each in value.items())
    elif name == "form":
        return
    elif (known := _raw(value)) is not None:
        yield key, one(known)
    else:
        yield from ((f"{key}_{inner}", one(each)) for inner, each in value.items() if not isinstance(each, Mapping))


def _fields(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Read fields that may each be an object with id, title and value."""
    for key, value in values.items():
        if isinstance(value, Mapping) and ("raw_value" in value or ("value" in value and "title" in value)):
            yield key, one(_raw(value))
            if value.get("title"):
                yield str(value["title"]), one(_raw(value))
        else:
            yield from _flat({key: value})


def _raw(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    for name in ("raw_value", "value", "url", ""):
        if name in value:
            return value[name]
    return None


def one(value: Any) -> Any:
    """Read a list of one as its element, and an empty text as nothing."""
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], Mapping):
        value = value[0]
    if isinstance(value, str) and not value.strip():
        return None
    return value


def _form_names(values: Mapping[str, Any]) -> Iterator[str]:
    inner = values.get("data")
    for each in (values, inner if isinstance(inner, Mapping) else {}):
        for key in ("form_id", "form_name", "_post_title", "form_title", "formular"):
            if isinstance(each.get(key), str | int):
                yield str(each[key])
        for key, names in (
            ("form", ("id", "title", "name")),
            ("form_data", ("post_title",)),
            ("quelle", ("formular",)),
        ):
            form = each.get(key)
            if isinstance(form, Mapping):
                yield from (str(form[name]) for name in names if isinstance(form.get(name), str | int))
            elif key == "form" and isinstance(form, str | int):
                yield str(form)


def _plugin(values: Mapping[str, Any]) -> str:
    data = values.get("data")
    form = data.get("form") if isinstance(data, Mapping) else None
    if isinstance(form, Mapping) and form.get("plugin") in {"cf7", "elementor", "gravity", "wpforms"}:
        return str(form["plugin"])
    quelle = values.get("quelle")
    if isinstance(quelle, Mapping) and isinstance(quelle.get("plugin"), str):
        return str(quelle["plugin"])
    signs = (
        ("form_submit_data", "wpwebhooks"),
        ("schema", "bridge"),
        ("_serial_number", "cf7"),
        ("_url", "cf7"),
        ("is_fulfilled", "gravity"),
        ("form_name", "elementor"),
    )
    if isinstance(values.get("fields"), Mapping) and isinstance(values.get("form"), Mapping):
        return "elementor"
    if any(key.startswith("lead/") for key in values):
        return "automator"
    return next((plugin for sign, plugin in signs if sign in values), "unbekannt")
