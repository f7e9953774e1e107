"""Pages: time to render the overview of many monitors."""

import json
from contextlib import closing
from functools import partial

import numpy as np

from bench.measure import Rows, interleaved
from bench.servers import JSON, kullback


def overview(monitors: int = 200) -> Rows:
    """The overview page, beside the list of the same monitors as JSON."""
    generator = np.random.default_rng(8)
    with kullback() as server, closing(server.connect()) as client:
        for number in range(monitors):
            path = f"/v1/monitors/model-{number:03d}"
            p = generator.random(200)
            y = (generator.random(200) < p).astype(int)
            client.put(path, b"{}")
            body = json.dumps({"y_true": y.tolist(), "y_proba": p.tolist()}).encode()
            client.post(f"{path}/observations", body, JSON)
        times = interleaved(partial(client.get, "/"), partial(client.get, "/v1/monitors"), 10)
        size = len(client.get("/")) / 1e3
    name = f"overview of {monitors} monitors, {size:.0f} kB, vs their list as JSON"
    yield times.share(name)
