"""Plan of an evaluation: columns, arms and settings, from the options."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kullback.cli.terminal import Failure, Status
from kullback.errors import InvalidInput
from kullback.evaluation.columns import Columns
from kullback.evaluation.job import NO_UNIT
from kullback.experiments.measured import OF_MEASURES
from kullback.experiments.plan import Plan
from kullback.requests.experiments import ExperimentSettings
from kullback.requests.validation import validated

CONTROL = "The control is {control}, the first arm by name: --control ARM chooses another."


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """Options as they stand on the command line, by their names."""

    y_true: str
    y_proba: str | None
    arm: str | None
    paired: str | None
    unit: str | None
    weight: str | None
    by: Sequence[str]
    propensity: str | None
    target_propensity: str | None
    shares: str | None
    settings: Mapping[str, object]
    pos_label: str | None = None
    other_arms: str = "error"

    def plan(self) -> "EvaluationPlan":
        """What they ask.

        Raises:
            Failure: they do not fit together.
            InvalidInput: a setting is impossible whatever the arms are.
        """
        self._check()
        forecasts = {"": self.y_proba or ""} if self.paired is None else paired_columns(self.paired)
        columns = Columns(
            y_true=self.y_true,
            y_proba=forecasts,
            arm=self.arm,
            unit=self.unit,
            weight=self.weight,
            propensity=self.propensity,
            target_propensity=self.target_propensity,
            by=tuple(dict.fromkeys(self.by)),
            pos_label=self.pos_label,
            ignores_others=self.other_arms == "ignore",
        )
        arms = None if self.shares is None else planned_shares(self.shares)
        design = "parallel" if self.paired is None else "paired"
        equal = None if self.paired is None else dict.fromkeys(forecasts)
        question = EvaluationPlan(columns, {**self.settings, "design": design}, arms or equal)
        question.provisional()
        return question

    def _check(self) -> None:
        if self.paired is None and (self.y_proba is None or self.arm is None):
            raise _unusable("name the predictions: --paired A,B, or --y-proba P and --arm ARM")
        if self.paired is not None:
            for name, given in (("y-proba", self.y_proba), ("arm", self.arm)):
                if given is not None:
                    raise _unusable(f"--{name} says nothing beside --paired")
            if self.shares is not None:
                raise _unusable("--shares says nothing beside --paired: each row is of all arms")
        if (self.propensity is None) != (self.target_propensity is None):
            raise _unusable("--propensity and --target-propensity are needed both, or none")
        self._check_other_arms()
        for column in self.by:
            if "=" in column:
                raise _unusable(f"--by {column}: a segment is named COL=VALUE, so no = may be in")

    def _check_other_arms(self) -> None:
        if self.other_arms not in {"error", "ignore"}:
            raise _unusable(f"--other-arms {self.other_arms}: error or ignore is expected")
        if self.other_arms == "ignore" and self.shares is None:
            raise _unusable("--other-arms ignore needs --shares, which names the arms that count")


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What is asked of files.

    Attributes:
        columns: which of them is what.
        settings: of the experiment, but for its arms.
        arms: those named by the caller, with their shares where he said so; None for those seen.
    """

    columns: Columns
    settings: Mapping[str, object]
    arms: Mapping[str, float] | Mapping[str, None] | None

    @property
    def names(self) -> list[str] | None:
        """The arms that may occur, if not any."""
        return None if self.arms is None else list(self.arms)

    def plan(self, seen: Sequence[str]) -> Plan:
        """The plan, of the arms that were seen where the caller has named none.

        Raises:
            InvalidInput: they are too few or too many, or the control is none of them.
        """
        names, control = self.names, self.settings["control"]
        if names is None:
            names = list(seen)
            if len(names) < 2:
                listed = ", ".join(names) or "none"
                raise InvalidInput(f"two arms or more are needed in {self.columns.arm}: {listed}")
        if control is not None and control not in names:
            raise InvalidInput(f"--control {control}: the arms are {', '.join(names)}")
        if control is not None:
            names = [str(control), *(name for name in names if name != control)]
        shares = {name: (self.arms or {}).get(name) for name in names}
        return self._planned(names if None in shares.values() else shares)

    def check(self, labels: Collection[str]) -> None:
        """Refuse a positive label that no row has.

        Raises:
            InvalidInput: see above.
        """
        label = self.columns.pos_label
        if label is not None and labels and label not in labels:
            listed = " and ".join(map(repr, sorted(labels)))
            detail = f"--pos-label {label}: the column {self.columns.y_true} holds {listed}"
            raise InvalidInput(detail)

    def notes(self, plan: Plan) -> tuple[str, ...]:
        """What the options leave open, and what was taken instead."""
        notes: list[str] = []
        if self.columns.unit is None:
            notes.append(NO_UNIT)
        if self.arms is None and self.settings["control"] is None:
            notes.append(CONTROL.format(control=plan.control))
        return tuple(notes)

    def provisional(self) -> Plan:
        """The plan as far as it can be known before any row is read.

        Raises:
            InvalidInput: a setting is impossible, whatever the arms are.
        """
        control = str(self.settings["control"] or "a")
        return self.plan([control, "a" if control == "b" else "b"])

    def _planned(self, arms: object) -> Plan:
        if self.settings["metric"] in OF_MEASURES:
            raise _unusable(
                f"--metric {self.settings['metric']}: files bring labels and predictions; an "
                "experiment of the service takes outcomes and ratios"
            )
        return validated(ExperimentSettings, {**self.settings, "arms": arms}).plan()


def paired_columns(text: str) -> dict[str, str]:
    """The column of each arm: COL, or NAME=COL, with commas in between.

    Raises:
        Failure: they are none, or too few.
    """
    columns: dict[str, str] = {}
    for part in text.split(","):
        name, sign, column = part.partition("=")
        if not name or name in columns or (sign and not column):
            raise _unusable(f"--paired {text}: [NAME=]COL,[NAME=]COL is expected, each name once")
        columns[name] = column or name
    if len(columns) < 2:
        raise _unusable(f"--paired {text}: two arms or more are needed")
    return columns


def planned_shares(text: str) -> dict[str, float]:
    """The share of each arm: ARM=SHARE, with commas in between.

    Raises:
        Failure: it is none.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.rpartition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            name = ""
        if not name:
            raise _unusable(f"--shares {text}: ARM=SHARE,ARM=SHARE is expected")
    return shares


def _unusable(detail: str) -> Failure:
    return Failure(detail, Status.UNUSABLE)
