"""Descriptions, titles, and what counts as the same text."""

from __future__ import annotations

import pytest
from builders import PLACEHOLDER

from shared.domain.appointment import tidy
from shared.mapping.text import dressed, is_placeholder, plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Akte<br>123", "Akte\n123"),
        ("<p>eins</p><p>zwei</p>", "eins\nzwei"),
        ("<b>Frist</b>&nbsp;heute &amp; morgen", "Frist heute & morgen"),
        ('<a href="https://x.example">Raum</a>', "Raum"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<html-blob>a<br/>b</html-blob>", "a\nb"),
        ("<div>eins</div><div>zwei</div>", "eins\nzwei"),
    ],
)
def test_the_dress_of_googles_editor_is_taken_off(html, text):
    assert tidy(plain_text(html)) == text


@pytest.mark.parametrize("text", ["5 < 7", "a & b", "<Mandant>", "&amp;", "", "Akte\n\n123", "x <- y"])
def test_text_without_tags_stays_as_it_is(text):
    assert plain_text(text) == text
    assert dressed(text) == text


@pytest.mark.parametrize("odd", ["<br><![foo[ x ]]>", "<b", "<br><!-- offen", "<br><![CDATA[x", "<br><?x", "<br>&#0;"])
def test_broken_html_is_read_without_failing(odd):
    assert isinstance(plain_text(odd), str)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a\r\nb\r", "a\nb"), ("a  \nb\t\n\n", "a\nb"), ("Groß u\u0308", "Groß ü"), ("a\xa0b", "a b")],
)
def test_texts_that_look_the_same_are_the_same(one, other):
    assert tidy(one) == tidy(other)


@pytest.mark.parametrize("title", ["Termin (Advoware)", "  termin\xa0(ADVOWARE) ", "Termin  (Advoware)\n", "Besetzt"])
def test_a_placeholder_is_known_in_every_dress(title):
    assert is_placeholder(title, (PLACEHOLDER, "besetzt"))


def test_a_placeholder_is_known_in_every_normal_form():
    assert is_placeholder("Gescha\u0308ftlich", ("geschäftlich",))


@pytest.mark.parametrize("title", ["", "Termin", "Termin (Advoware) Meier"])
def test_another_title_is_no_placeholder(title):
    assert not is_placeholder(title, (PLACEHOLDER,))
