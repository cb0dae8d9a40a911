"""The table of names: what each sender calls what we mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_NAMES: Final[Mapping[str, str]] = {
    "typ": "typ type",
    "event": "event",
    "id": "id",
    "eingegangen_am": "eingegangen_am occurred_at submitted_at",
    "anrede": "anrede salutation",
    "titel": "titel akad_titel",
    "vorname": "vorname first_name firstname given_name ihr_vorname 1.3",
    "nachname": "nachname last_name lastname familienname surname family_name ihr_nachname zuname 1.6",
    "name": "name voller_name full_name fullname ihr_name kontaktname vor_und_nachname vorname_nachname "
    "vorname_und_nachname ansprechpartner",
    "firma": "firma company unternehmen firmenname organisation company_name hausverwaltung",
    "email": "email e_mail mail emailadresse e_mail_adresse email_adresse email_address ihre_e_mail ihre_email "
    "ihre_e_mail_adresse mailadresse",
    "telefon": "telefon phone tel telefonnummer mobil handy mobile phone_number rufnummer telephone ihre_telefonnummer "
    "handynummer mobilnummer telefon_mobil",
    "strasse": "strasse street anschrift adresse address strasse_und_hausnummer strasse_hausnummer",
    "hausnummer": "hausnummer hausnr house_number",
    "plz": "plz postleitzahl zip postal_code postcode zip_code",
    "ort": "ort stadt city wohnort",
    "land": "land country",
    "geburtsdatum": "geburtsdatum geburtstag geb_datum geboren_am birthday birth_date date_of_birth",
    "objekt_strasse": "objekt_strasse objektstrasse objekt_adresse objektadresse mietobjekt objekt adresse_des_objekts "
    "adresse_der_wohnung property_address objektanschrift",
    "objekt_hausnummer": "objekt_hausnummer",
    "objekt_plz": "objekt_plz objektplz",
    "objekt_ort": "objekt_ort objektort",
    "objekt_art": "objekt_art objektart art_des_objekts immobilienart",
    "objekt_einheiten": "objekt_einheiten einheiten anzahl_einheiten wohneinheiten",
    "gegenseite_name": "gegenseite_name gegenseite gegner mietername name_des_mieters mieter_name name_mieter "
    "vermietername name_des_vermieters name_der_gegenseite opponent",
    "gegenseite_rolle": "gegenseite_rolle",
    "gegenseite_anwalt": "gegenseite_anwalt anwalt_der_gegenseite anwalt",
    "thema": "thema themen anliegen topic topics rechtsgebiet 4.1",
    "betreff": "betreff subject",
    "beschreibung": "nachricht message beschreibung text ihre_nachricht mitteilung kommentar comment comments anfrage "
    "description sachverhalt ihr_anliegen ihre_anfrage",
    "frist": "frist deadline fristdatum",
    "frist_art": "frist_art art_der_frist",
    "rueckstand_eur": "rueckstand_eur rueckstand mietrueckstand hoehe_rueckstand rueckstand_in_euro",
    "gericht": "gericht court",
    "aktenzeichen": "aktenzeichen az",
    "rechtsschutz": "rechtsschutz rechtsschutzversicherung",
    "weg": "weg kontaktweg kontaktart bevorzugter_kontaktweg",
    "rueckruf": "rueckruf callback call_back rueckrufwunsch bitte_um_rueckruf rueckruf_gewuenscht",
    "zeitfenster": "zeitfenster erreichbarkeit",
    "datenschutz": "datenschutz datenschutzhinweis dsgvo privacy datenschutzerklaerung acceptance",
    "newsletter": "newsletter newsletter_anmeldung newsletter_einwilligung",
    "einwilligung": "einwilligung consent zustimmung optin opt_in",
    "werbung_telefon": "werbung_telefon",
    "weitergabe_kanzlei": "weitergabe_kanzlei",
    "seite": "seite page_url url seiten_url source_url page",
    "site": "site",
    "referrer": "referrer referer",
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "utm_term": "utm_term",
    "utm_content": "utm_content",
    "gclid": "gclid",
    "fbclid": "fbclid",
    "msclkid": "msclkid",
    "ip": "ip remote_ip ip_adresse",
    "user_agent": "user_agent benutzer_agent",
    "honeypot": "honeypot hp vh_hp hp_field honigtopf website_hp fax_nummer",
    "ausfuellzeit_s": "ausfuellzeit_s ausfuellzeit fill_time fill_time_s elapsed",
    "formular_id": "form_id formular form",
    "formular_titel": "form_name post_title form_title formularname",
    "anhang": "anhang anhaenge datei dateien unterlagen mietvertrag file files attachment attachments upload dokumente",
    "einwilligungen": "einwilligungen",
    "anhaenge": "anhaenge",
}
ALIASES: Final[Mapping[str, str]] = {alias: meaning for meaning, names in _NAMES.items() for alias in names.split()}
MEANINGS: Final = frozenset(_NAMES)
FORM_MAP_WORDS: Final = {"nachricht": "beschreibung", "text": "beschreibung", "rueckstand": "rueckstand_eur"}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def folded_key(key: str) -> str:
    """Fold a key: case, umlauts, blanks and the prefixes that plugins add do not count."""
    plain = key.strip().lower().translate(_UMLAUTS)
    plain = re.sub(r"^(your[-_ ]|no label |_+)", "", plain)
    return re.sub(r"[^a-z0-9.]+", "_", plain).strip("_.")


def meaning_of(key: str) -> str | None:
    """Say what a key means, or that we do not know."""
    return ALIASES.get(folded_key(key))
