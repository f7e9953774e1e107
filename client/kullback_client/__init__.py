"""Client of Kullback, a scoring service for probability forecasts.

```python
from kullback_client import Client

kb = Client()  # KULLBACK_URL, KULLBACK_API_KEY
kb.score("log-loss", y_true=[1, 0], y_proba=[0.9, 0.2]).value
monitor = kb.monitor("clicks").ensure(slices=["country"])
monitor.predictions(frame, id="id", y_proba="p", slice=["country"])
monitor.report(last="24h", by="country").to_pandas()
```
"""

from .client import AsyncClient, Client
from .connection import __version__
from .errors import (
    BodyTooLarge,
    Conflict,
    FieldError,
    Forbidden,
    InvalidInput,
    KullbackError,
    NotFound,
    NotKullback,
    ServiceFailure,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from .exchange import Retry
from .reporter import Reporter, Stats
from .reports import ExperimentReport, ExperimentSeries, MonitorReport, MonitorSeries
from .resources import AsyncExperiment, AsyncMonitor, Experiment, Monitor
from .scores import Score, Scores

__all__ = [
    "AsyncClient",
    "AsyncExperiment",
    "AsyncMonitor",
    "BodyTooLarge",
    "Client",
    "Conflict",
    "Experiment",
    "ExperimentReport",
    "ExperimentSeries",
    "FieldError",
    "Forbidden",
    "InvalidInput",
    "KullbackError",
    "Monitor",
    "MonitorReport",
    "MonitorSeries",
    "NotFound",
    "NotKullback",
    "Reporter",
    "Retry",
    "Score",
    "Scores",
    "ServiceFailure",
    "Stats",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "__version__",
]
