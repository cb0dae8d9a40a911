"""Read a phone number as it is dialled in Germany."""

from __future__ import annotations

from typing import Any, Final

HOME: Final = "DE"
_PASSES: Final = 20  # no number has more digits that a reading could take away


def parsed(text: str) -> Any:
    """Parse a number so that its E.164 spelling, parsed again, stays what it is; None for what is no number.

    Of several zeros in front the library takes one away with each reading, and of some foreign prefixes too.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text, HOME)
        for _ in range(_PASSES):
            again = phonenumbers.parse(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
            if again == number:
                return number
            number = again
    except phonenumbers.NumberParseException:
        return None
    return None
