import assert from "node:assert/strict";
import fc from "fast-check";
import { MpcError } from "./errors.ts";
import { parseEnvironmentChange, parseEnvironmentInput } from "./environment_schema.ts";
import { parseWorkloadInput } from "./workload_schema.ts";

function violationsOf(parse: () => unknown): readonly (readonly [string, string])[] {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof MpcError)) throw error;
    assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "INVALID_FIELDS"]);
    for (const { hint } of error.violations) {
      assert.doesNotMatch(hint, /Invalid input|expected/i, "zod's own words do not leak");
    }
    return error.violations.map(({ field, rule }) => [field, rule]);
  }
  return [];
}

const workload = (spec: unknown, more = {}) => () =>
  parseWorkloadInput("deploy workload", { workloadId: "web", workload: { spec, ...more } });

const image = "nginx:1.27";

Deno.test("every default is filled in", () => {
  const spec = { image, ports: [{ port: 80 }], healthCheck: { path: "/", port: 80 } };
  assert.deepEqual(workload(spec)(), {
    id: "web",
    labels: {},
    annotations: {},
    spec: {
      image,
      replicas: 1,
      ports: [{ name: "port-80", port: 80, protocol: "TCP" }],
      env: {},
      resources: { cpu: null, memory: null },
      healthCheck: { path: "/", port: 80, periodMs: 10_000 },
      command: [],
      args: [],
      progressDeadlineMs: 600_000,
    },
  });
});

const BAD_SPECS: readonly (readonly [string, unknown, readonly (readonly [string, string])[]])[] = [
  ["no spec", undefined, [["workload.spec", "REQUIRED"]]],
  ["no image", {}, [["workload.spec.image", "REQUIRED"]]],
  ["an image that is none", { image: "UPPER case" }, [["workload.spec.image", "IMAGE_REFERENCE"]]],
  ["too many replicas", { image, replicas: 1_001 }, [["workload.spec.replicas", "MAXIMUM"]]],
  ["half a replica", { image, replicas: 1.5 }, [["workload.spec.replicas", "TYPE"]]],
  ["a port out of range", { image, ports: [{ port: 65_536 }] }, [[
    "workload.spec.ports[0].port",
    "PORT_RANGE",
  ]]],
  ["a port twice", { image, ports: [{ port: 80 }, { port: 80, name: "b" }] }, [[
    "workload.spec.ports[1].port",
    "UNIQUE",
  ]]],
  ["a port name twice", { image, ports: [{ port: 1, name: "a" }, { port: 2, name: "a" }] }, [[
    "workload.spec.ports[1].name",
    "UNIQUE",
  ]]],
  ["a cpu that is none", { image, resources: { cpu: "12xyz" } }, [[
    "workload.spec.resources.cpu",
    "QUANTITY",
  ]]],
  ["a variable that is none", { image, env: { "1A": "x" } }, [[
    "workload.spec.env[1A]",
    "VARIABLE_NAME",
  ]]],
  ["a health check on another port", { image, healthCheck: { path: "/", port: 1 } }, [[
    "workload.spec.health_check.port",
    "ONE_OF_PORTS",
  ]]],
  ["an unknown field", { image, colour: "red" }, [["workload.spec.colour", "UNKNOWN_FIELD"]]],
];

for (const [title, spec, expected] of BAD_SPECS) {
  Deno.test(`${title} is refused`, () => assert.deepEqual(violationsOf(workload(spec)), expected));
}

Deno.test("all bad fields are named at once", () => {
  const bad = violationsOf(() =>
    parseWorkloadInput("deploy workload", {
      workloadId: "-",
      workload: { labels: { "mpc/x": "" }, spec: { image: "", replicas: -1 } },
    })
  );
  assert.deepEqual(bad.map(([field]) => field), [
    "workload_id",
    "workload.labels[mpc/x]",
    "workload.spec.image",
    "workload.spec.replicas",
  ]);
});

Deno.test("secret values stay out of violations", () => {
  try {
    workload({ image, env: { "no name": "hunter2", LONG: "s3cret".repeat(20_000) } })();
    assert.fail("it was to be refused");
  } catch (error) {
    assert.ok(error instanceof MpcError);
    assert.doesNotMatch(JSON.stringify([error.message, error.violations]), /hunter2|s3cret/);
  }
});

Deno.test("whatever comes in, only INVALID_ARGUMENT goes out", () => {
  fc.assert(fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (input) => {
    violationsOf(workload(input));
    violationsOf(() => parseWorkloadInput("x", input));
    violationsOf(() => parseEnvironmentInput("x", input));
    violationsOf(() => parseEnvironmentChange("x", input));
  }));
});

const environment = (fields: unknown, environmentId = "dev") => () =>
  parseEnvironmentInput("create environment", { environmentId, environment: fields });

const BAD_ENVIRONMENTS: readonly (readonly [string, unknown, string, string])[] = [
  ["too short a life", { ttlMs: 1 }, "environment.ttl", "TTL"],
  ["a negative quota", { quota: { workloads: -1 } }, "environment.quota.workloads", "MINIMUM"],
  ["a label value that is none", { labels: { a: "b c" } }, "environment.labels.a", "LABEL_VALUE"],
  [
    "too many annotations",
    { annotations: { a: "x".repeat(20_000) } },
    "environment.annotations",
    "MAXIMUM",
  ],
];

for (const [title, fields, field, rule] of BAD_ENVIRONMENTS) {
  Deno.test(`${title} is refused`, () => {
    assert.deepEqual(violationsOf(environment(fields)), [[field, rule]]);
  });
}

Deno.test("an unset quota is unlimited, and so are 0 and empty", () => {
  assert.deepEqual(environment({ quota: { workloads: 0, cpu: "", memory: "2Gi" } })().quota, {
    workloads: null,
    cpu: null,
    memory: "2Gi",
  });
});

Deno.test("an update holds what it was given and nothing else", () => {
  const change = { labels: {}, ttlMs: null };
  assert.deepEqual(parseEnvironmentChange("x", { environment: change }), change);
});
