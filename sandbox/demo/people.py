"""What people do in the demo, over the same APIs as everybody: a person in Google, a person in Advoware."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from google.oauth2 import service_account
from googleapiclient.discovery import build

from sandbox.advoware import Account, fresh_body
from sandbox.demo.processes import Firm

SCOPES = ["https://www.googleapis.com/auth/calendar"]


class GoogleUser:
    """Somebody with Google Calendar open."""

    def __init__(self, firm: Firm) -> None:
        credentials = service_account.Credentials.from_service_account_file(
            firm.env["GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH"], scopes=SCOPES
        )
        endpoint = {"api_endpoint": firm.env["GOOGLE_CALENDAR_API_ENDPOINT"]}
        self._api = build("calendar", "v3", credentials=credentials, cache_discovery=False, client_options=endpoint)

    def calendars(self) -> dict[str, str]:
        """Give name → id of all calendars."""
        return {entry["summary"]: entry["id"] for entry in self._api.calendarList().list().execute()["items"]}

    def events(self, calendar_id: str) -> list[dict[str, Any]]:
        """List the events of a calendar."""
        return list(self._api.events().list(calendarId=calendar_id, maxResults=2500).execute().get("items", []))

    def rename(self, calendar_id: str, event_id: str, title: str) -> None:
        """Type another title."""
        self._api.events().patch(calendarId=calendar_id, eventId=event_id, body={"summary": title}).execute()

    def add(self, calendar_id: str, title: str, days_ahead: int) -> str:
        """Enter an appointment of an hour."""
        day = (datetime.now(UTC) + timedelta(days=days_ahead)).date().isoformat()
        times = {
            edge: {"dateTime": f"{day}T{hour}:00:00", "timeZone": "Europe/Berlin"}
            for edge, hour in (("start", "14"), ("end", "15"))
        }
        body = {"summary": title, "location": "Besprechungszimmer 1", **times}
        return str(self._api.events().insert(calendarId=calendar_id, body=body).execute()["id"])

    def remove(self, calendar_id: str, event_id: str) -> None:
        """Delete an appointment."""
        self._api.events().delete(calendarId=calendar_id, eventId=event_id).execute()


class AdvowareUser:
    """Somebody with Advoware open."""

    def __init__(self, firm: Firm) -> None:
        answer = requests.post(firm.env["ADVOWARE_AUTH_URL"], json=fresh_body(Account()), timeout=10)
        self._url = f"{firm.env['ADVOWARE_API_BASE_URL']}appointments"
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def appointments(self, kuerzel: str) -> list[dict[str, Any]]:
        """List everything of one employee, two years around now."""
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        window = {edge: (now + timedelta(days=days)).isoformat() for edge, days in (("from", -730), ("to", 730))}
        return list(self._http.get(self._url, params={"kuerzel": kuerzel, **window}, timeout=10).json())

    def move(self, row: dict[str, Any], start: str, end: str) -> None:
        """Change the times of an appointment."""
        changed = {**row, "uhrzeitVon": start, "uhrzeitBis": end}
        self._http.put(f"{self._url}/{row['frNr']}", json=changed, timeout=10).raise_for_status()

    def remove(self, number: int) -> None:
        """Delete an appointment."""
        self._http.delete(f"{self._url}/{number}", timeout=10).raise_for_status()

    def parties(self, text: str) -> list[dict[str, Any]]:
        """Search the parties."""
        url = self._url.removesuffix("appointments") + "beteiligte"
        return list(self._http.get(url, params={"search": text}, timeout=10).json())


class EspoCrmUser:
    """Somebody with EspoCRM open."""

    def __init__(self, firm: Firm) -> None:
        self._url = f"{firm.env['ESPOCRM_API_BASE_URL']}CBeteiligte"
        self._http = requests.Session()
        self._http.headers["X-Api-Key"] = firm.env["PERSON_API_KEY"]

    def enter(self, **fields: str) -> str:
        """Enter a party."""
        answer = self._http.post(self._url, json=fields, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def change(self, record_id: str, **fields: str) -> None:
        """Change a party."""
        self._http.put(f"{self._url}/{record_id}", json=fields, timeout=10).raise_for_status()

    def remove(self, record_id: str) -> None:
        """Delete a party."""
        self._http.delete(f"{self._url}/{record_id}", timeout=10).raise_for_status()
