"""Pictures of the explanations, drawn from what they are about: `python -m docs.generate`."""

import numpy as np

from kullback.figures.figure import ChartSeries, Figure
from kullback.figures.svg import svg
from kullback.tally.confidence_sequence import boundary

ALPHA = 0.05
RUNS, LOOKS = 4_000, 100
NARROWEST = 6.0  # the information at which a sequence is narrowest: here the last look has it
_ONE_LOOK = 1.959964  # standard errors: a fixed interval of 95 %
# Grey words, and two colours, that can be read on a page that is light or dark.
_STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#7c7c84}.middle{text-anchor:middle}"
    ".end{text-anchor:end}.axis,.level{stroke:#7c7c84}.grid{stroke:#7c7c8440}"
    ".level{stroke-dasharray:5 4}.curve{fill:none;stroke-width:2.5}"
    ".c1{stroke:#3b82c4}.c2{stroke:#d9622b}"
    ".catch{fill-opacity:0}.tip{visibility:hidden}.hit:hover .tip{visibility:visible}</style>"
)


def peeking() -> str:
    """How many experiments without a difference have claimed one, by the number of looks."""
    one_look, sequence = false_claims()
    figure = Figure(
        name="peeking",
        title="False claims by the number of looks",
        caption="",
        x_label="Looks so far",
        y_label="Experiments that have claimed a difference, %",
        x=[float(look) for look in range(1, LOOKS + 1)],
        series=[
            ChartSeries("interval for one look", one_look, hue=2),
            ChartSeries("confidence sequence", sequence, hue=1),
        ],
        levels=[(100 * ALPHA, "promised: 5 %")],
        y_holds=[0.0],
    )
    return svg(figure).replace("</desc>", f"</desc>{_STYLE}", 1) + "\n"


def false_claims() -> tuple[list[float], list[float]]:
    """In percent by look: of intervals for one look, and of confidence sequences."""
    rng = np.random.default_rng(12)
    looks = np.arange(1, LOOKS + 1)
    walks = rng.standard_normal((RUNS, LOOKS)).cumsum(axis=1)
    errors = np.abs(walks) / np.sqrt(looks)  # in standard errors: no experiment has an effect
    bounds = [boundary(NARROWEST * look / LOOKS, ALPHA) for look in looks]
    one_look, sequence = (
        (np.maximum.accumulate(errors > bound, axis=1).mean(axis=0) * 100).tolist()
        for bound in (np.full(LOOKS, _ONE_LOOK), np.array(bounds))
    )
    return one_look, sequence
