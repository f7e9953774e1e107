"""An A/B test of two recommenders, as cells of a notebook: what to ask, and in which order."""

# %% The plan comes before the rows: what is compared, and how large a difference matters.
import numpy as np
import pandas as pd

from kullback_client import Client

kb = Client()
ranker = kb.experiment("ranker").ensure(
    arms=["old", "new"], design="paired", minimum_effect=0.002, slices=["country"]
)

# %% The log: here one is made, in which the new ranker knows more of what users like.
rng = np.random.default_rng(7)
users = 4_000
log = pd.DataFrame({"user": np.repeat(np.arange(users), 5)})
log["country"] = np.where(log["user"] % 3 == 0, "DE", "FR")
taste = rng.normal(0, 1, users)[log["user"]] + rng.normal(0, 0.7, len(log))
log["clicked"] = rng.random(len(log)) < 1 / (1 + np.exp(2 - taste))
log["p_old"] = 1 / (1 + np.exp(1.9 - 0.3 * taste))
log["p_new"] = 1 / (1 + np.exp(2 - 0.9 * taste))

# %% Both score every row, whichever was shown. The same cell twice counts once.
ranker.observe(
    log,
    y_true="clicked",
    y_proba={"old": "p_old", "new": "p_new"},
    unit="user",
    slice=["country"],
    idempotency_key="log-of-monday",
)

# %% The verdict holds however often you look.
report = ranker.report(by="country")
print(report.verdict)

# %% How large, how surely, and where.
effects = report.to_pandas()
print(effects.to_string())

# %% As it grew.
course = ranker.series(step=3600).to_pandas()
print(course.tail(3).to_string())
