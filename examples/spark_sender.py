"""Every partition of a DataFrame sends its rows, from where it is: of Spark, and of Dask.

    spark.table("predictions").mapInPandas(send, schema="accepted long, rejected long").agg(...)
    dask_frame.map_partitions(lambda part: next(send([part])), meta={"accepted": int, ...})

A task that is tried again sends the same rows, which are known by their content: they count once.
"""

from collections.abc import Iterable, Iterator

import pandas as pd

from kullback_client import Client


def send(parts: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Send each part, and say what became of it."""
    with Client() as kb:
        monitor = kb.monitor("nightly")
        for part in parts:
            taken = monitor.observations(
                part,
                y_true="clicked",
                y_proba="p",
                timestamp="time",
                id="id",
                slice=["country"],
                on_invalid="drop",
            )
            yield pd.DataFrame({"accepted": [taken.accepted], "rejected": [taken.rejected]})
