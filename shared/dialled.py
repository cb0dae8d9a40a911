"""Read a phone number as it is dialled in Germany."""

from __future__ import annotations

from typing import Any, Final

HOME: Final = "DE"
_LONGEST: Final = 1 + 17  # the standard ends at 15 digits; German numbers had two more, some plans claim four


def parsed(text: str) -> Any:
    """Parse a number so that its E.164 spelling, parsed again, stays what it is; None for what is no number.

    Of several zeros in front the library takes one away with each reading, and of some foreign prefixes too.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text, HOME)
        for _ in range(_LONGEST):
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            again = phonenumbers.parse(written)
            if again == number:
                return number if len(written) <= _LONGEST else None
            number = again
    except phonenumbers.NumberParseException:
        return None
    return None
