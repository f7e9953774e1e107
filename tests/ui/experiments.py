"""Pages of an experiment under test."""

from tests.experiments.arms import paired
from tests.experiments.service import EXPERIMENT, PAIRED, hours, observe, sent
from tests.monitoring.service import Service
from tests.ui.opened import Page

N = 3000
PAGE = "/experiments/ranker"


async def opened(service: Service, **query: str) -> Page:
    answer = await service.client.get(PAGE, params=query, follow_redirects=True)
    return Page.of(answer)


async def crossed(service: Service, **more: object) -> Page:
    """The page of an experiment in which b is worse for sure."""
    await service.put(EXPERIMENT, **(PAIRED | more))
    await observe(service, **sent(paired(noise=3.0, n=N), timestamp=hours(N, 30)))
    return await opened(service)
