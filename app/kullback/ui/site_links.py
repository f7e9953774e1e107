"""Where pages lead outside: the documentation, Grafana, and this service by its public address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from starlette.requests import Request

from kullback.judgement.settings import CheckName
from kullback.settings import Settings

Board = Literal["monitor", "experiment"]
RUNBOOKS: Mapping[CheckName, str] = {  # a heading of docs/alerts.md, and an alert of rules.yml
    "log_loss": "KullbackLogLossWorse",
    "no_skill": "KullbackNoSkill",
    "calibration": "KullbackCalibrationOff",
    "score_drift": "KullbackDrift",
    "label_drift": "KullbackDrift",
    "feature_drift": "KullbackDrift",
    "slice": "KullbackSliceOff",
    "silence": "KullbackMonitorSilent",
    "maturity": "KullbackLabelsStopped",
}
_BOARDS: Mapping[Board, str] = {
    "monitor": "kullback-monitor",
    "experiment": "kullback-experiments",
}


@dataclass(frozen=True, slots=True)
class SiteLinks:
    """Addresses as they were set, without a slash at their end; empty where they were not."""

    documentation: str = ""
    grafana: str = ""
    public: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "SiteLinks":
        """Those of the settings."""
        documentation = settings.documentation_url
        return cls(documentation, settings.grafana_url, settings.public_url)

    def base(self, request: Request) -> str:
        """This service as people reach it: as was set, or as the caller has it.

        A proxy in front may speak TLS.
        """
        if self.public:
            return f"{self.public}/"
        base = str(request.base_url)
        is_https = request.headers.getlist("x-forwarded-proto") == ["https"]
        return base.replace("http:", "https:", 1) if is_https else base

    @property
    def fleet(self) -> str:
        """The dashboard of all monitors."""
        return f"{self.grafana}/d/kullback-fleet" if self.grafana else ""

    def board(
        self, kind: Board, name: str, start: float | None = None, stop: float | None = None
    ) -> str:
        """The dashboard of a monitor or an experiment, of some time where that is said."""
        if not self.grafana:
            return ""
        time = {} if start is None or stop is None else {"from": start, "to": stop}
        milliseconds = {edge: str(round(1000 * seconds)) for edge, seconds in time.items()}
        query = urlencode({f"var-{kind}": name, **milliseconds})
        return f"{self.grafana}/d/{_BOARDS[kind]}?{query}"

    def runbook(self, check: CheckName) -> str:
        """What to do where a check warns."""
        if not self.documentation:
            return ""
        return f"{self.documentation.rstrip('/')}/alerts.html#{RUNBOOKS[check].lower()}"


NO_LINKS = SiteLinks()
