"""The all-in-one with nothing but the proxy in it, for gunicorn: proxy_app:app."""

from __future__ import annotations

from functions.app import FOLDERS, App, load, prepare

PARTS = prepare()
app = App(load([folder for folder in FOLDERS if "/advoware" in folder.prefixes]), PARTS)
