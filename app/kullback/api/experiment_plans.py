"""Route of plans: how many units, and days, an experiment takes."""

from fastapi import APIRouter, Request, Response

from kullback.access.ring import Caller
from kullback.api.gate import caller_of
from kullback.api.openapi import request_body
from kullback.api.problems import problems
from kullback.api.routes import as_json
from kullback.api.store_requests import StoreRequests
from kullback.experiments.pilots import pilot_of_monitor, pilot_of_report
from kullback.experiments.plan import Plan
from kullback.experiments.sample_size import ExperimentSize, Pilot, experiment_size
from kullback.experiments.stored import StoredExperiment
from kullback.moments import DAY, HOUR
from kullback.monitoring.selection import MonitorQuery
from kullback.monitoring.stored import StoredMonitor
from kullback.payload.media import JSON
from kullback.requests.experiment_plans import ExperimentPlanRequest
from kullback.services import Services

_PILOT_DAYS = 28


def add_plans(routes: APIRouter, store_requests: StoreRequests) -> None:
    """Add the route to those of experiments."""

    @routes.post(
        "/plan",
        operation_id="plan_experiment",
        response_model=ExperimentSize,
        responses=problems(400, 404, 408, 413, 415, 422, 503),
        openapi_extra=request_body(ExperimentPlanRequest, (JSON,)),
    )
    async def plan(request: Request) -> Response:
        """Units and days that find a minimum effect, and the effects that days find, by a pilot."""

        def work(sent: ExperimentPlanRequest) -> Response:
            return as_json(_size(store_requests.services, caller_of(request), sent))

        return await store_requests.compute(request, ExperimentPlanRequest, work)


def _size(services: Services, caller: Caller, sent: ExperimentPlanRequest) -> ExperimentSize:
    plan = sent.plan()
    if sent.experiment is not None:
        pilot = _of_experiment(services, caller, sent.experiment, plan)
    elif sent.monitor is not None:
        pilot = _of_monitor(services, caller, sent.monitor, plan)
    else:
        pilot = sent.pilot()
    return experiment_size(plan, pilot, sent.days, sent.units_per_day)


def _of_experiment(services: Services, caller: Caller, name: str, plan: Plan) -> Pilot:
    if not caller.sees(name):
        StoredExperiment.of(None, name)
    selection = services.experiment_queries.select(name)
    last = selection.last_start
    created = selection.experiment.record.created
    days = None if last is None else (last + HOUR - created) / DAY
    return pilot_of_report(plan, selection.report(), days)


def _of_monitor(services: Services, caller: Caller, name: str, plan: Plan) -> Pilot:
    if not caller.sees(name):
        StoredMonitor.of(None, name)
    reader = services.monitor_queries.open(name)
    report = reader.select(MonitorQuery(last=_PILOT_DAYS * DAY)).report()
    days = min(_PILOT_DAYS, (reader.now - reader.record.created) / DAY)
    return pilot_of_monitor(report.metrics, report.n, plan, days)
