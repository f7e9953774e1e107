"""The verdict on a monitor as Markdown, to be pasted into a ticket."""

import re
from collections.abc import Sequence

from kullback.experiments.page import escaped
from kullback.monitoring.checks import Check, MonitorChecks, state_of
from kullback.monitoring.replies import MonitorSetup
from kullback.monitoring.report import MonitorReport
from kullback.numerics.digits import counted
from kullback.ui.cards import Card
from kullback.ui.check_rows import CheckRows, title
from kullback.ui.dates import absolute
from kullback.ui.render import sentence
from kullback.ui.slice_rows import SliceTable

_MOST_SLICES = 3


def verdict_text(
    setup: MonitorSetup,
    checks: MonitorChecks | None,
    report: MonitorReport,
    cards: Sequence[Card],
    slices: SliceTable,
) -> str:
    """The state, what warns, the numbers of the time that is shown, and the worst slices."""
    rows, now = CheckRows.of(checks), 0.0 if checks is None else checks.time
    lines = [f"**Monitor {escaped(setup.name)}: {state_of(checks)}**", ""]
    lines += [f"- {title(each)}, {each.state}: {_said(each, now)}" for each in rows.alarms]
    if not rows.alarms:
        lines.append(f"- {len(rows.fine)} checks are ok, {len(rows.unknown)} cannot be judged yet.")
    within = ", ".join(f"{key} = {value}" for key, value in (report.slice or {}).items())
    time = f"{absolute(report.start)} to {absolute(report.stop)}"
    lines += [
        "",
        f"{time}, {escaped(within) or 'all rows'}: {counted(report.n, 'row')} with labels.",
        "",
    ]
    lines += [_card(card) for card in cards]
    worst = [row for row in slices.rows[:_MOST_SLICES] if row.state.is_alarm]
    if worst:
        lines += ["", f"Worst slices ({slices.measure.lower()}):", ""]
        lines += [
            f"- {escaped(row.words)}: {row.off}, {counted(row.group.n, 'row')}" for row in worst
        ]
    return "\n".join(lines)


def _said(check: Check, now: float) -> str:
    """The statement, in which names stand as they are, to be searched for."""
    names = {f"{key} = {value}" for key, value in (check.slice or {}).items()}
    names |= {check.feature} if check.feature else set()
    if not names:
        return escaped(sentence(check.statement, now))
    parts = re.split(f"({'|'.join(map(re.escape, names))})", check.statement)
    return escaped("".join(part if part in names else sentence(part, now) for part in parts))


def _card(card: Card) -> str:
    beside = f" ({card.beside})" if card.beside else ""
    word = f": {card.word}" if card.word else ""
    return f"- {card.name} {f'{card.number} {card.error}'.strip()}{beside}{word}"
