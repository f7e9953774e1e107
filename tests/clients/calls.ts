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

async function call<P extends keyof paths & string, M extends keyof paths[P] & string>(
  method: M,
  path: P,
  body?: Sent<paths[P][M]>,
  names: Record<string, string> = {},
): Promise<Answered<paths[P][M]>> {
  const place = path.replace(/{(\w+)}/g, (_, name) => names[name]);
  const answer = await fetch(address + place, {
    method: method.toUpperCase(),
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${place}: ${await answer.text()}`);
  return await answer.json();
}

function typed<_ extends true>(): void {}

const score = await call("post", "/v1/scores/log-loss", { y_true: [1, 0], y_proba: [0.8, 0.3] });
typed<Same<typeof score.value, number | null>>();
typed<Same<typeof score.status, "finite" | "infinite" | "undefined">>();
const catalog = await call("get", "/v1/scores");
const entry = await call("get", "/v1/scores/{metric}", undefined, { metric: "log-loss" });
typed<Same<typeof entry.name, string>>();
const alive = await call("get", "/livez");
const ready = await call("get", "/readyz");

console.log(
  JSON.stringify({
    score: score.value,
    conventions: score.conventions.convention,
    catalog: catalog.scores.length,
    entry: entry.name,
    alive: alive.status,
    ready: ready.status,
  }),
);
