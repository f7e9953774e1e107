"""The monitors and experiments of the demonstration, and how each will turn out."""

from kullback.demo.clicks import Clicks
from kullback.demo.intents import INTENTS, Intents
from kullback.demo.streams import HOUR, DemoResource, LabelledLater, Observed, Stream
from kullback.demo.trials import LAYOUTS, RANKERS, PairedRankers, ParallelLayouts

LONGER = 7  # experiments go on for days: so many times as long as monitors
WINDOW = 300
_CTR = {"slices": ["country", "device"], "window_seconds": WINDOW}
_INTENTS = {
    "task": "multiclass",
    "labels": list(INTENTS),
    "slices": ["channel"],
    "window_seconds": WINDOW,
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

    Monitors are sound at first; the last quarter of the history, an hour at least, is the one in
    which `ctr-drifting` is not.
    """
    sound = history - max(1.0, history / 4)
    drifting = Clicks(onset=sound, ramp=(history - sound) / 4)
    long = LONGER * history
    sources = [
        DemoResource("/v1/monitors/ctr-healthy", _CTR, Clicks(), 7_200, history, sound, 0),
        DemoResource("/v1/monitors/ctr-drifting", _CTR, drifting, 7_200, history, sound, 1),
        DemoResource(
            "/v1/monitors/intent-multiclass", _INTENTS, Intents(), 1_200, history, sound, 2
        ),
        DemoResource("/v1/experiments/ranker-paired", _RANKER, PairedRankers(), 900, long, 0, 3),
        DemoResource(
            "/v1/experiments/layout-parallel", _LAYOUT, ParallelLayouts(), 900, long, 0, 4
        ),
    ]
    streams = [Observed(source, seed, now - source.hours * HOUR) for source in sources]
    return [
        LabelledLater(stream) if isinstance(stream.source.world, Intents) else stream
        for stream in streams
    ]
