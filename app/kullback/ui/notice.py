"""A notice to all who look at pages, such as of maintenance: what a file says."""

from dataclasses import dataclass
from pathlib import Path

LONGEST = 500  # characters


@dataclass(frozen=True, slots=True)
class Notice:
    """What a file says by now; nothing where there is none, or it cannot be read."""

    path: Path | None = None

    def __str__(self) -> str:
        if self.path is None:
            return ""
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                return file.read(LONGEST).strip()
        except OSError:
            return ""


NO_NOTICE = Notice()
