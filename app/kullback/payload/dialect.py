"""Dialects of CSV: what stands between cells and within numbers, and in which bytes."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

from kullback.errors import InvalidInput

DIALECT = ("delimiter", "decimal", "encoding")  # what a caller may say
_TEXTS = ("ascii", "utf-", "iso8859", "cp", "mac-", "koi8", "gb", "big5", "shift_jis", "euc_")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written: what stands between cells and in numbers, and which bytes."""

    delimiter: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    header: bool = True

    @classmethod
    def of(cls, said: Mapping[str, str], usual: str = ",", *, header: bool = True) -> "Dialect":
        """What is said of it, by name; `usual` stands between cells where nothing is.

        Raises:
            InvalidInput: a sign is not one of ASCII, or the encoding is none of text.
        """
        delimiter = said.get("delimiter", usual)
        sign = "\t" if delimiter in {"\\t", "tab"} else delimiter
        dialect = cls(**{**said, "delimiter": sign}, header=header)
        dialect.check()
        return dialect

    def check(self) -> None:
        """Refuse what no table is written with.

        Raises:
            InvalidInput: a sign is not one of ASCII, or the encoding is none of text.
        """
        for name, sign in (("delimiter", self.delimiter), ("decimal", self.decimal)):
            if len(sign) != 1 or not sign.isascii() or sign in '"\r\n' or sign.isalnum():
                raise InvalidInput.at("one sign is expected, as in ; or ,", name)
        if self.delimiter == self.decimal:
            raise InvalidInput.at("the same as between cells", "decimal")
        if not self.codec.startswith(_TEXTS):
            raise InvalidInput.at("no text is written so: try latin-1", "encoding")

    @property
    def codec(self) -> str:
        """The name that Python has for the encoding; empty if it has none."""
        try:
            return codecs.lookup(self.encoding).name
        except LookupError:
            return ""
