"""The services that stand on an open store."""

from dataclasses import dataclass

from kullback.experiments.maintenance import ExperimentMaintenance
from kullback.experiments.queries import ExperimentQueries
from kullback.experiments.writes import Experiments
from kullback.maintenance import MaintenanceThread
from kullback.monitoring.annotations import MonitorAnnotations
from kullback.monitoring.counters import MonitorCounters
from kullback.monitoring.lifecycle import MonitorLifecycle
from kullback.monitoring.maintenance import MonitorMaintenance
from kullback.monitoring.queries import MonitorQueries
from kullback.monitoring.writes import Monitors


@dataclass(frozen=True, slots=True)
class Services:
    """What stands on the store, once that is open."""

    monitors: Monitors
    monitor_annotations: MonitorAnnotations
    monitor_lifecycle: MonitorLifecycle
    monitor_queries: MonitorQueries
    monitor_counters: MonitorCounters
    monitor_maintenance: MonitorMaintenance
    experiments: Experiments
    experiment_queries: ExperimentQueries
    experiment_maintenance: ExperimentMaintenance
    maintenance: MaintenanceThread
