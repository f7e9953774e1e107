"""What is wrong with a text that should be a time."""

import re

EXPECTED = "an RFC 3339 time with Z or an offset is expected, such as 2026-01-31T12:00:00Z"
_DATE = r"\d{4}-\d\d-\d\d"
_FORMS = (  # the first that fits; each is tried from the first letter on
    (r"\s*[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\s*$", "epoch seconds are numbers, not strings"),
    (rf"{_DATE}$", "a date without a time of day"),
    (r"\s|.*\s$", "blanks around it"),
    (
        r"\d{1,2}[-./]\d{1,2}[-./]\d{2,4}",
        "day and month could be in either order: the year comes first",
    ),
    (r"\d{4}[./]\d{1,2}[./]\d{1,2}", "year, month and day are joined by -"),
    (r"\d{4}-(\d-|\d\d-\d(\D|$))", "month and day have two digits each"),
    (r"\d{4}-?W\d\d|\d{4}-\d{3}(\D|$)", "weeks and days of the year are not read"),
    (r"\d{8}[Tt ]?\d{4}", "- and : are missing in it"),
    (r"[A-Za-z]{3,}", "it is written in words"),
    (rf"{_DATE}[Tt ]24:", "hours are 00 to 23: midnight is 00:00:00 of the next day"),
    (rf"{_DATE}[Tt ]\d\d:\d\d(?!:?\d)", "its seconds are missing"),
    (rf"{_DATE}[Tt ]\d{{1,2}}:\d\d(:\d\d)?(\.\d+)? ?[AaPp]", "hours are 00 to 23"),
    (
        rf"{_DATE}[Tt ]\d\d:\d\d:\d\d([.,]\d{{1,30}})? ?([Zz]|[+-]\d\d(:?\d\d)?)?$",
        "there is no such time or offset",
    ),
    (rf"{_DATE}[Tt ]\d\d:\d\d:\d\d[.,](?!\d)", "digits are missing after its seconds"),
    (rf"{_DATE}[Tt ]\d\d:\d\d:\d\d([.,]\d+)? ?.*[\[A-Za-z]", "its zone is a name, not an offset"),
)
_PATTERNS = [(re.compile(form, re.ASCII), what) for form, what in _FORMS]
_LONGEST = 64  # letters that are looked at


def what_is_wrong(text: str) -> str:
    """Why a text is no time that is read, and what is."""
    head = text[:_LONGEST]
    whys = (why for pattern, why in _PATTERNS if pattern.match(head))
    why = next(whys, "")
    return f"{why}; {EXPECTED}" if why else EXPECTED
