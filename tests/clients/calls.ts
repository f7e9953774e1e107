// A call of each family by types that openapi-typescript made; the values are printed.
import type { paths } from "./schema.js";

type Content<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Sent<O> = O extends { requestBody: infer Request } ? Content<Request> : undefined;
type Answered<O> = O extends { responses: infer Answers }
  ? Content<Answers[Extract<keyof Answers, 200 | 201>]>
  : never;
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

declare const process: { argv: string[] };
const address = process.argv[2];

interface Beside {
  names?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
}

async function request(method: string, path: string, body: unknown, beside: Beside) {
  const place = path.replace(/{(\w+)}/g, (_, name) => beside.names?.[name] ?? name);
  const answer = await fetch(`${address}${place}?${new URLSearchParams(beside.query)}`, {
    method: method.toUpperCase(),
    headers: { "content-type": "application/json", ...beside.headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status >= 400) throw new Error(`${method} ${place}: ${await answer.text()}`);
  return answer;
}

async function call<P extends keyof paths & string, M extends keyof paths[P] & string>(
  method: M,
  path: P,
  body?: Sent<paths[P][M]>,
  beside: Beside = {},
): Promise<Answered<paths[P][M]>> {
  return await (await request(method, path, body, beside)).json();
}

function typed<_ extends true>(): void {}

async function scores() {
  const body = { y_true: [1, 0], y_proba: [0.8, 0.3] };
  const score = await call("post", "/v1/scores/log-loss", body);
  typed<Same<typeof score.value, number | null>>();
  typed<Same<typeof score.status, "finite" | "infinite" | "undefined">>();
  const catalog = await call("get", "/v1/scores");
  const names = { metric: "log-loss" };
  const entry = await call("get", "/v1/scores/{metric}", undefined, { names });
  typed<Same<typeof entry.name, string>>();
  return {
    score: score.value,
    conventions: score.conventions.convention,
    catalog: catalog.scores.length,
    entry: entry.name,
    alive: (await call("get", "/livez")).status,
    ready: (await call("get", "/readyz")).status,
  };
}

async function monitors(names: { name: string }) {
  const place = "/v1/monitors/{name}";
  const created = await call("put", place, { retention_days: 7 }, { names });
  const batch = { y_true: [1, 0], y_proba: [0.8, 0.3] };
  const once = { names, headers: { "idempotency-key": "once" } };
  await call("post", `${place}/observations`, batch, once);
  const added = await call("post", `${place}/observations`, batch, once);
  const monitor = await call("get", place, undefined, { names });
  typed<Same<typeof monitor.counts.observations, number>>();
  const listed = await call("get", "/v1/monitors");
  const report = await call("get", `${place}/report`, undefined, { names });
  typed<Same<typeof report.metrics.log_loss.value, number | null>>();
  const etag = (await request("get", `${place}/report`, undefined, { names })).headers.get("etag");
  const headers = { "if-none-match": etag ?? "" };
  const again = await request("get", `${place}/report`, undefined, { names, headers });
  const query = { metric: "log_loss" };
  const series = await call("get", `${place}/series`, undefined, { names, query });
  return {
    retention_days: created.retention_days,
    accepted: added.accepted,
    counted: monitor.counts.observations,
    listed: listed.monitors.map((each) => each.name).includes(names.name),
    log_loss: report.metrics.log_loss.value,
    unchanged: again.status,
    points: series.points.map((point) => point.value),
  };
}

async function experiments(names: { name: string }) {
  const place = "/v1/experiments/{name}";
  const created = await call("put", place, { arms: ["old", "new"], design: "paired" }, { names });
  const y_proba = { old: [0.5, 0.5], new: [0.8, 0.3] };
  const batch = { y_true: [1, 0], y_proba, unit: ["ann", "bob"] };
  const added = await call("post", `${place}/observations`, batch, { names });
  const experiment = await call("get", place, undefined, { names });
  const listed = await call("get", "/v1/experiments");
  const report = await call("get", `${place}/report`, undefined, { names });
  typed<Same<(typeof report.comparisons)[0]["effect"], number | null>>();
  const query = { step: "3600" };
  const series = await call("get", `${place}/series`, undefined, { names, query });
  return {
    arms: created.arms.map((arm) => arm.name),
    added: added.accepted,
    control: experiment.control,
    planned: listed.experiments.map((each) => each.name).includes(names.name),
    effect: report.comparisons[0].effect,
    verdict: report.comparisons[0].verdict,
    effects: series.points.map((point) => point.effect),
  };
}

const names = { name: "typescript" };
const calls = { ...(await scores()), ...(await monitors(names)), ...(await experiments(names)) };
console.log(JSON.stringify(calls));
