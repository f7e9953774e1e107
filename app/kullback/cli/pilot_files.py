"""Pilot of a plan from files: read as those of `kullback evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kullback.cli.evaluate.plan import paired_columns, planned_shares
from kullback.cli.terminal import Failure, Status
from kullback.evaluation import files as logs
from kullback.evaluation.columns import Columns
from kullback.evaluation.executors import serial
from kullback.evaluation.job import evaluate
from kullback.evaluation.locations import files_named
from kullback.experiments.arm_tallies import ArmTallies
from kullback.experiments.measured import OF_MEASURES
from kullback.experiments.pilots import pilot_of_rows
from kullback.experiments.plan import Arm, Plan
from kullback.experiments.sample_size import ExperimentSize, experiment_size
from kullback.requests.experiments import ExperimentSettings
from kullback.requests.validation import validated

_ALL = "rows"  # the one arm of a log of one model
_HALVES = {"control": 0.5, "treatment": 0.5}


@dataclass(frozen=True, slots=True)
class PilotFiles:
    """Options of a plan that say what files hold, and what is planned."""

    y_true: str
    y_proba: str | None
    paired: str | None
    unit: str | None
    shares: str | None
    settings: Mapping[str, object]

    def size(
        self, names: Sequence[str], days: Sequence[float], units_per_day: float | None
    ) -> ExperimentSize:
        """How long the experiment takes.

        Raises:
            Failure: the options do not fit together.
            InvalidInput: files or settings cannot be used.
        """
        if units_per_day is not None and not 0 < units_per_day <= 1e12:
            raise Failure("--units-per-day is above 0, and at most 1e12", Status.UNUSABLE)
        forecasts, plan = self._forecasts(), self._plan()
        columns = Columns(
            y_true=self.y_true,
            y_proba=forecasts,
            arm=None,
            unit=self.unit,
            weight=None,
            propensity=None,
            target_propensity=None,
            by=(),
            pos_label=None,
        )
        files = logs.open_files(files_named(names), columns)
        tasks = list(logs.tasks(files, columns, plan.layout, list(forecasts)))
        state = evaluate(tasks, serial, lambda _: None)
        of_rows = plan if self.paired else _of_one(plan)
        whole = state.arm_tallies(of_rows).get("", ArmTallies())
        return experiment_size(plan, pilot_of_rows(of_rows, whole), days, units_per_day)

    def _forecasts(self) -> dict[str, str]:
        """The column of predictions by arm; labels stand in where a rate is planned without."""
        if (self.paired is None) == (self.y_proba is None):
            if self.paired is None and self.settings["metric"] == "base_rate":
                return {_ALL: self.y_true}
            raise Failure("name the predictions: --y-proba P, or --paired A,B", Status.UNUSABLE)
        return {_ALL: str(self.y_proba)} if self.paired is None else paired_columns(self.paired)

    def _plan(self) -> Plan:
        arms: object = _HALVES if self.shares is None else planned_shares(self.shares)
        design = "parallel"
        if self.paired is not None:
            arms, design = list(paired_columns(self.paired)), "paired"
            if self.shares is not None:
                detail = "--shares says nothing beside --paired: each row is of all arms"
                raise Failure(detail, Status.UNUSABLE)
        settings = {**self.settings, "arms": arms, "design": design}
        if settings.get("metric") in OF_MEASURES:
            raise Failure(f"--metric {settings['metric']}: files bring labels", Status.UNUSABLE)
        return validated(ExperimentSettings, settings).plan()


def _of_one(plan: Plan) -> Plan:
    return Plan((Arm(_ALL, 1.0),), _ALL, metric=plan.metric, convention=plan.convention)
