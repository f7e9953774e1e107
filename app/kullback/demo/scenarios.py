"""The monitors and experiments of the demonstration, and how each will turn out."""

from kullback.demo.clicks import Clicks
from kullback.demo.fraud import Fraud
from kullback.demo.intents import INTENTS, Intents
from kullback.demo.streams import HOUR, DemoResource, LabelledLater, Observed, Stream
from kullback.demo.trials import LAYOUTS, RANKERS, PairedRankers, ParallelLayouts

LONGER = 7  # experiments go on for days: so many times as long as monitors
WINDOW = 300
_CTR = {
    "slices": ["country", "device"],
    "window_seconds": WINDOW,
    "owner": "team-ads",
    "tags": ["ads", "ctr"],
    "description": "Probability that an advertisement is clicked on.",
}
_FEED = {
    "slices": ["country", "device"],
    "window_seconds": WINDOW,
    "default_label": 0,
    "label_window": 240,
    "owner": "team-feed",
    "tags": ["feed"],
    "description": "Clicks are reported; what is not clicked on in 4 minutes counts as no click.",
}
_FRAUD = {
    "slices": ["channel"],
    "features": {"amount": "numeric", "account_age": "numeric", "channel": "categorical"},
    "window_seconds": WINDOW,
    "owner": "team-risk",
    "tags": ["payments"],
    "description": "Probability that a payment is fraud.",
}
_INTENTS = {
    "task": "multiclass",
    "labels": list(INTENTS),
    "slices": ["channel"],
    "window_seconds": WINDOW,
    "label_lag": 1800,
    "owner": "team-support",
    "tags": ["text"],
    "description": "What customers write about; people label it within half an hour.",
}
_RANKER = {
    "arms": list(RANKERS),
    "design": "paired",
    "minimum_effect": 0.005,
    "slices": ["platform"],
}
_LAYOUT = {
    "arms": list(LAYOUTS),
    "metric": "base_rate",
    "minimum_effect": 0.002,
    "slices": ["platform"],
}


def scenarios(history: float, seed: int, now: float) -> list[Stream]:
    """All of them, their history of so many hours ending now; of experiments, longer.

    Monitors are sound at first. The last quarter of the history, an hour at least, is the one in
    which `ctr-drifting` is not, and `fraud-feature` has lost one of its features.
    """
    sound = history - max(1.0, history / 4)
    drifting = Clicks(onset=sound, ramp=(history - sound) / 4)
    long = LONGER * history
    span = history, sound
    campaign, release = {sound: "campaign in BR"}, {sound: "release 2.7 of payments"}
    sources = [
        DemoResource("/v1/monitors/ctr-healthy", _CTR, Clicks(), 7_200, *span, 0),
        DemoResource("/v1/monitors/ctr-drifting", _CTR, drifting, 7_200, *span, 1, campaign),
        DemoResource("/v1/monitors/fraud-feature", _FRAUD, Fraud(sound), 1_800, *span, 5, release),
        DemoResource("/v1/monitors/intent-multiclass", _INTENTS, Intents(), 1_200, *span, 2),
        DemoResource("/v1/monitors/feed-default", _FEED, Clicks(), 1_200, *span, 6),
        DemoResource("/v1/experiments/ranker-paired", _RANKER, PairedRankers(), 900, long, 0, 3),
        DemoResource(
            "/v1/experiments/layout-parallel", _LAYOUT, ParallelLayouts(), 900, long, 0, 4
        ),
    ]
    streams = [Observed(source, seed, now - source.hours * HOUR) for source in sources]
    return [_as_they_come(stream) for stream in streams]


def _as_they_come(stream: Observed) -> Stream:
    """A stream whose labels come when they would."""
    settings = stream.source.settings
    if isinstance(stream.source.world, Intents):
        return LabelledLater(stream)
    if "default_label" in settings:
        history = round(stream.source.hours * HOUR)
        return LabelledLater(stream, delay=60.0, lost=0.0, since=history, only="1")
    return stream
