"""Takes the webhooks of an Alertmanager and tells a chat: `uvicorn alert_receiver:app --port 9095`.

An alert says that a verdict is there, or that a monitor is off; what the service says of it at that
moment is asked for, and told with it. CHAT_URL takes `{"text": ...}`, as Slack and Mattermost do.

    receivers:
      - name: chat
        webhook_configs: [{url: "http://127.0.0.1:9095/", send_resolved: true}]

A chat that cannot be reached is 502, so that the Alertmanager tries again.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from fastapi import FastAPI, Response

from kullback_client import Client, NotFound

app = FastAPI()


@app.post("/")
def receive(message: dict[str, Any]) -> Response:
    """Tell of all alerts of a message at once, as the Alertmanager has grouped them."""
    with Client() as kb:
        text = "\n\n".join("\n".join(lines(kb, alert)) for alert in message["alerts"])
    try:
        httpx.post(os.environ["CHAT_URL"], json={"text": text}).raise_for_status()
    except httpx.HTTPError:
        return Response(status_code=502)
    return Response(status_code=204)


def lines(kb: Client, alert: Mapping[str, Any]) -> Iterator[str]:
    """What an alert says, and what the service says of it now."""
    labels, notes = alert["labels"], alert["annotations"]
    state = "over: " if alert["status"] == "resolved" else ""
    yield f"{state}{notes.get('summary', labels['alertname'])}"
    if not state:
        try:
            yield from details(kb, labels)
        except NotFound:
            yield "It was removed meanwhile."
    if "page_url" in notes:
        yield notes["page_url"]


def details(kb: Client, labels: Mapping[str, str]) -> Iterator[str]:
    """The verdicts of an experiment, or the checks of a monitor that are not well."""
    if "experiment" in labels:
        report = kb.experiment(labels["experiment"]).report()
        for each in report.comparisons:
            if each.arm == labels.get("arm", each.arm):
                why = f" {each.why.statement}" if each.why else ""
                yield f"{each.arm} against {each.control}: {each.verdict}. {each.reason}{why}"
    elif "monitor" in labels:
        for check in kb.monitor(labels["monitor"]).checks().checks:
            if check.name == labels.get("check", check.name) and check.state != "ok":
                yield f"{check.name}: {check.statement}"
