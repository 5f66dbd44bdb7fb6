/** The figures of a running platform, at its web door. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startAllInOne } from "@mpc/api";
import { formatAddress } from "@mpc/process";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { withFolder } from "../servers/with_folder.ts";

/** A line of Prometheus' text format ("Exposition formats", Prometheus documentation). */
const SAMPLE =
  /^[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})? (?:[-+]?[0-9.e+-]+|[+-]?Inf|NaN)$/;

Deno.test("the web door has the figures of every call, in Prometheus' format", async () => {
  const platform = await startAllInOne(QUIET_CONFIG);
  const url = `http://${formatAddress(platform.webAddress)}`;
  const created = await fetch(`${url}/mpc.v1.EnvironmentService/GetEnvironment`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "environments/missing" }),
  });
  await created.body?.cancel();
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# HELP ") || line.startsWith("# TYPE ")) continue;
    assert.match(line, SAMPLE);
  }
  assert.match(
    text,
    /^mpc_rpc_duration_seconds_count\{service="mpc.v1.EnvironmentService",method="GetEnvironment",code="NOT_FOUND"\} 1$/m,
  );
  for (const part of ["store", "engine", "doors"]) {
    assert.match(text, new RegExp(`^mpc_component_ready\\{component="${part}"\\} 1$`, "m"));
  }
  assert.doesNotMatch(text, /missing/, "no resource is named");
  await platform.close();
});

Deno.test("the page has the metrics that docs/metrics.md lists, with their help and labels", async () => {
  const platform = await startAllInOne(QUIET_CONFIG);
  const url = `http://${formatAddress(platform.webAddress)}`;
  await (await fetch(`${url}/metrics`)).body?.cancel();
  const text = await (await fetch(`${url}/metrics`)).text();
  await platform.close();
  const page = await readFile(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  const listed = new Map(
    [...page.matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \|$/gm)].map(
      ([, name = "", type, labels = "", help]) =>
        [name, { type, help, labels: [...labels.matchAll(/\w+/g)].map(String) }] as const,
    ),
  );
  assert.ok(listed.size > 30, "the list was read");
  const told = new Map(
    [...text.matchAll(/^# HELP (\w+) (.*)$/gm)].map(([, name, help]) => [name!, help!] as const),
  );
  const types = new Map(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name!, type!] as const),
  );
  assert.deepEqual([...told.keys()].toSorted(), [...listed.keys()].toSorted());
  for (const [name, { type, help }] of listed) {
    assert.equal(told.get(name), help, name);
    assert.equal(types.get(name), type, name);
  }
  const suffix = /_(?:bucket|sum|count)$/;
  for (const [, series = "", labels = ""] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const name = listed.has(series) ? series : series.replace(suffix, "");
    const known = listed.get(name)?.labels ?? assert.fail(`${series} is not listed`);
    for (const [, label = ""] of labels.matchAll(/(\w+)="/g)) {
      assert.ok(label === "le" || known.includes(label), `${series} has a label ${label}`);
    }
  }
});

Deno.test("with an access file the figures need credentials, and refusals are among them", () =>
  withFolder(async (folder) => {
    const accessFile = join(folder, "access.yaml");
    await writeFile(accessFile, "bindings: [{ role: viewer, principals: ['user:ann'] }]\n");
    const platform = await startAllInOne({ ...QUIET_CONFIG, accessFile });
    const response = await fetch(`http://${formatAddress(platform.webAddress)}/metrics`);
    assert.equal(response.status, 401);
    assert.equal((await response.json()).code, "unauthenticated");
    await platform.close();
  }));
