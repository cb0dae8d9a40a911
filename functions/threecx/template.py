"""Render the CRM template that a 3CX loads: who calls, and what became of the call. `python -m` prints it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from functions.threecx.receiving import LOOKUP, REPORT
from shared.threecx.wire import ReportBody

VERSION = "1"
_FIELDS = {
    "id": "KId",
    "type": "KType",
    "first_name": "KFirst",
    "last_name": "KLast",
    "company": "KFirm",
    "url": "KUrl",
}
_OUTPUTS = {
    "ContactUrl": "[KUrl]",
    "FirstName": "[KFirst]",
    "LastName": "[KLast]",
    "CompanyName": "[KFirm]",
    "PhoneBusiness": "[Number]",  # a hit without the searched number is dropped
    "EntityId": "[KId]",
    "EntityType": "[KType]",
}
_STAMP = '[[{}].ToString("yyyy-MM-ddTHH:mm:ssZ")]'
_REPORTED = {
    "call_type": ("1", "[CallType]"),
    "number": ("1", "[Number]"),
    "agent": ("1", "[Agent]"),
    "agent_email": ("1", "[AgentEmail]"),
    "queue": ("1", "[QueueExtension]"),
    "duration": ("1", "[Duration]"),
    "started_at": ("2", _STAMP.format("CallStartTimeUTC")),
    "ended_at": ("2", _STAMP.format("CallEndTimeUTC")),
    "entity_id": ("1", "[EntityId]"),
    "entity_type": ("1", "[EntityType]"),
    "recording_url": ("1", "[RecordingUrl]"),
}


def render() -> str:
    """Write the template; transcripts and summaries are left out on purpose (§§ 201, 203 StGB)."""
    assert set(_REPORTED) == set(ReportBody.__dataclass_fields__)
    crm = Element("Crm", Country="DE", Name="Kanzlei CRM", Version=VERSION, SupportsEmojis="false")
    SubElement(crm, "Number", Prefix="Zeros", MaxLength="")
    SubElement(crm, "Connection", MaxConcurrentRequests="4")
    parameters = SubElement(crm, "Parameters")
    general = {"Parent": "General Configuration", "Editor": "String", "Default": ""}
    SubElement(parameters, "Parameter", {"Name": "BaseUrl", "Type": "String", "Title": "Service URL:", **general})
    SubElement(parameters, "Parameter", {"Name": "ApiKey", "Type": "Password", "Title": "API key:", **general})
    journal = {"Parent": "", "Editor": "String", "Title": "Call journaling", "Default": "True"}
    SubElement(parameters, "Parameter", {"Name": "ReportCallEnabled", "Type": "Boolean", **journal})
    SubElement(crm, "Authentication", Type="No")
    scenarios = SubElement(crm, "Scenarios")
    _lookup(SubElement(scenarios, "Scenario", Id="", Type="REST"))
    _report(SubElement(scenarios, "Scenario", Id="ReportCall", Type="REST"))
    indent(crm)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(crm, encoding="unicode") + "\n"


def _lookup(scenario: Element) -> None:
    url = f"[BaseUrl]{LOOKUP}?number=[Number]&direction=[CallDirection]"
    _request(scenario, "", url, {"RequestEncoding": "UrlEncoded", "RequestType": "Get"})
    SubElement(SubElement(scenario, "Rules"), "Rule", Type="Any", Ethalon="").text = "contacts.url"
    variables = SubElement(scenario, "Variables")
    for field, name in _FIELDS.items():
        SubElement(SubElement(variables, "Variable", Name=name, Path=f"contacts.{field}"), "Filter")
    outputs = SubElement(scenario, "Outputs", AllowEmpty="false")
    for kind, value in _OUTPUTS.items():
        SubElement(outputs, "Output", Type=kind, Passes="0", Value=value)


def _report(scenario: Element) -> None:
    how = {"RequestEncoding": "Json", "RequestType": "Post"}
    request = _request(scenario, "[ReportCallEnabled]!=True", f"[BaseUrl]{REPORT}", how)
    values = SubElement(request, "PostValues")
    _values(values, _REPORTED)


def _request(scenario: Element, skip_if: str, url: str, how: Mapping[str, str]) -> Element:
    fixed = {"SkipIf": skip_if, "Url": url, "MessagePasses": "0", "ResponseType": "Json"}
    request = SubElement(scenario, "Request", {**fixed, **how})
    _values(SubElement(request, "Headers"), {"X-API-Key": ("0", "[ApiKey]")})
    return request


def _values(parent: Element, values: Mapping[str, tuple[str, str]]) -> None:
    for key, (passes, text) in values.items():
        SubElement(parent, "Value", Key=key, Passes=passes, Type="String").text = text


if __name__ == "__main__":
    sys.stdout.write(render())
