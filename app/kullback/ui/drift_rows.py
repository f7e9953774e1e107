"""Drift as pages show it: what changed and how badly, and of features where."""

from collections.abc import Sequence
from dataclasses import dataclass

from kullback.figures import feature_shares
from kullback.figures.figure import Figure
from kullback.judgement.findings import State, graded
from kullback.judgement.settings import Thresholds
from kullback.monitoring.drift_report import DriftReport, FeatureDriftReport
from kullback.monitoring.report import MonitorDrift
from kullback.ui.check_rows import CHECK_HUES
from kullback.ui.differences import SURE


@dataclass(frozen=True, slots=True)
class DriftRow:
    """What is compared, how far it is from the reference, and how bad that is."""

    what: str
    drift: DriftReport
    state: State

    @property
    def hue(self) -> str:
        """The class of the state."""
        return CHECK_HUES[self.state]


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature, how far it is from the reference, how bad that is, and its bins."""

    name: str
    drift: FeatureDriftReport
    state: State
    figure: Figure

    @property
    def hue(self) -> str:
        """The class of the state."""
        return CHECK_HUES[self.state]


def drift_rows(drift: MonitorDrift, limits: Thresholds) -> list[DriftRow]:
    """The scores, the labels, and how rows fall into the values of slices."""
    mixes = {f"Mix of {name}": each for name, each in drift.slices.items()}
    rows = {"Scores": drift.score, "Labels": drift.label} | mixes
    return [DriftRow(what, each, state_of_drift(each, limits)) for what, each in rows.items()]


def feature_rows(drift: MonitorDrift, limits: Thresholds) -> Sequence[FeatureRow]:
    """The features, those that changed most first."""
    return [
        FeatureRow(name, each, state_of_drift(each, limits), feature_shares.of_feature(name, each))
        for name, each in drift.features.items()
    ]


def state_of_drift(drift: DriftReport, limits: Thresholds) -> State:
    """How bad a drift is: it is sure (p) and large (PSI), or fine; unknown without a reference."""
    if drift.p_value is None or drift.psi is None:
        return State.UNKNOWN
    return graded(drift.p_value < SURE, drift.psi, limits)
