/** The figures of a running platform, at its web door. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startAllInOne } from "@mpc/api";
import { formatAddress } from "@mpc/process";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { eventually } from "../servers/eventually.ts";
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

Deno.test("the API tells what its methods answered, without a metrics system", async () => {
  const platform = await startAllInOne(QUIET_CONFIG);
  const url = `http://${formatAddress(platform.webAddress)}/mpc.v1`;
  const post = async (method: string, request: object) => {
    const response = await fetch(`${url}.${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    return await response.json();
  };
  for (const id of ["a", "b", "c"]) {
    await post("EnvironmentService/GetEnvironment", { name: `environments/${id}` });
  }
  await post("EnvironmentService/ListEnvironments", {});
  const { startTime, readTime, methods } = await post("DiagnosticsService/GetActivity", {});
  assert.ok(Date.parse(startTime) <= Date.parse(readTime));
  const of = (name: string) =>
    methods.find(({ method }: { readonly method: string }) => method === `mpc.v1.${name}`);
  const { calls, failures, running, buckets, totalDuration } = of(
    "EnvironmentService/GetEnvironment",
  );
  assert.deepEqual([calls, failures, running ?? 0], ["3", "3", 0]);
  assert.match(totalDuration, /^0(?:\.\d+)?s$/);
  assert.equal(buckets.at(-1).calls, "3");
  assert.equal(of("EnvironmentService/ListEnvironments").failures ?? "0", "0");
  assert.equal(of("DiagnosticsService/GetActivity").running, 1, "the call itself runs");
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

Deno.test("a changed access file that is wrong is shown by doctor, /readyz and a figure", () =>
  withFolder(async (folder) => {
    const accessFile = join(folder, "access.yaml");
    const authentication = "authentication: {tokens: true}\n";
    await writeFile(accessFile, `${authentication}bindings: []\n`);
    const config = { ...QUIET_CONFIG, accessFile, publicMetrics: true };
    const platform = await startAllInOne(config);
    const url = `http://${formatAddress(platform.webAddress)}`;
    const warns = async () => {
      const response = await fetch(`${url}/metrics`);
      assert.equal(response.status, 200, "the figures are public");
      return /^mpc_component_warning\{component="access"\} (\d)$/m.exec(await response.text())?.[1];
    };
    try {
      assert.equal(await warns(), "0");
      await writeFile(accessFile, `${authentication}bindings: {}\n`);
      await eventually("the figure is 1", async () => assert.equal(await warns(), "1"));
      const response = await fetch(`${url}/readyz`);
      assert.equal(response.status, 200);
      const { checks } = await response.json();
      const access = checks.find(({ name }: { name: string }) => name === "access");
      assert.match(access.warning, /access\.yaml:2:1: bindings/);
      await writeFile(accessFile, `${authentication}bindings: []\n`);
      await eventually("the figure is 0 again", async () => assert.equal(await warns(), "0"));
    } finally {
      await platform.close();
    }
  }));
