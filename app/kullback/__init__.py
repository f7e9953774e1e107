"""Kullback: exact scores for probability forecasts, over HTTP and in Python.

    import kullback

    kullback.log_loss([1, 0, 1], [0.9, 0.2, 0.6]).value

There is a function for each metric of the catalog. What they need is imported at the first use.
"""

from typing import Any


def __getattr__(name: str) -> Any:  # noqa: ANN401 - functions, and classes
    """What is asked for: a function of a metric, score, Score, InvalidInput or __version__."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - it reads what was installed

        return version("kullback")
    from kullback.scoring.catalog import METRICS  # noqa: PLC0415 - `import kullback` costs nothing

    metric = name.replace("_", "-")
    if name not in {"InvalidInput", "Score", "score"} and metric not in METRICS:
        raise AttributeError(f"module 'kullback' has no attribute {name!r}")
    from kullback.library import functions  # noqa: PLC0415

    value = functions.metric_function(metric) if metric in METRICS else getattr(functions, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What may be asked for."""
    from kullback.scoring.catalog import METRICS  # noqa: PLC0415

    names = (each.key for each in METRICS.values())
    return sorted({*globals(), "InvalidInput", "Score", "__version__", "score", *names})
