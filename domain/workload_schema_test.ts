import assert from "node:assert/strict";
import fc from "fast-check";
import { MpcError } from "./errors.ts";
import { parseEnvironmentChange, parseEnvironmentInput } from "./environment_schema.ts";
import { parseWorkloadInput, parseWorkloadSpec } from "./workload_schema.ts";

function violationsOf(parse: () => unknown): readonly (readonly [string, string])[] {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof MpcError)) throw error;
    assert.deepEqual([error.code, error.reason], ["INVALID_ARGUMENT", "INVALID_FIELDS"]);
    for (const { hint } of error.violations) {
      assert.doesNotMatch(hint, /Invalid input|expected/i, "zod's own messages do not leak");
    }
    return error.violations.map(({ field, rule }) => [field, rule]);
  }
  return [];
}

const workload = (spec: unknown, more = {}) => () =>
  parseWorkloadInput("deploy workload", { workloadId: "web", workload: { spec, ...more } });

const image = "nginx:1.27";

Deno.test("parseWorkloadInput() fills in every default", () => {
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
      envFrom: [],
      resources: { cpu: null, memory: null },
      healthCheck: { path: "/", port: 80, periodMs: 10_000 },
      livenessCheck: null,
      command: [],
      args: [],
      volumes: [],
      ingress: null,
      autoscaling: null,
      disruptionBudget: null,
      chart: null,
      progressDeadlineMs: 600_000,
    },
  });
});

const BAD_SPECS: readonly (readonly [string, unknown, readonly (readonly [string, string])[]])[] = [
  ["no spec", undefined, [["workload.spec", "REQUIRED"]]],
  ["no image", {}, [["workload.spec.image", "REQUIRED"]]],
  ["an invalid image", { image: "UPPER case" }, [["workload.spec.image", "IMAGE_REFERENCE"]]],
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
  ["an invalid cpu quantity", { image, resources: { cpu: "12xyz" } }, [[
    "workload.spec.resources.cpu",
    "QUANTITY",
  ]]],
  ["an invalid variable name", { image, env: { "1A": "x" } }, [[
    "workload.spec.env[1A]",
    "VARIABLE_NAME",
  ]]],
  ["a health check on another port", { image, healthCheck: { path: "/", port: 1 } }, [[
    "workload.spec.health_check.port",
    "ONE_OF_PORTS",
  ]]],
  ["variables without a source", { image, envFrom: [{ variable: "A" }] }, [[
    "workload.spec.env_from[0]",
    "EXACTLY_ONE",
  ]]],
  ["variables from two sources", { image, envFrom: [{ secret: "a", config: "b" }] }, [[
    "workload.spec.env_from[0].config",
    "EXACTLY_ONE",
  ]]],
  ["a key without a variable", { image, envFrom: [{ secret: "a", key: "b" }] }, [[
    "workload.spec.env_from[0].key",
    "REQUIRES_VARIABLE",
  ]]],
  ["a variable given twice", {
    image,
    env: { A: "1" },
    envFrom: [{ variable: "A", secret: "a" }, { variable: "A", config: "b" }],
  }, [["workload.spec.env_from[1].variable", "UNIQUE"], [
    "workload.spec.env_from[0].variable",
    "UNIQUE",
  ], ["workload.spec.env_from[1].variable", "UNIQUE"]]],
  ["an invalid secret name", { image, envFrom: [{ secret: "A_B" }] }, [[
    "workload.spec.env_from[0].secret",
    "DNS_1123_SUBDOMAIN",
  ]]],
  ["a volume at the root", { image, volumes: [{ name: "a", path: "/", secret: "b" }] }, [[
    "workload.spec.volumes[0].path",
    "PATH",
  ]]],
  ["a volume path with '..'", { image, volumes: [{ name: "a", path: "/a/..", secret: "b" }] }, [[
    "workload.spec.volumes[0].path",
    "PATH",
  ]]],
  ["volumes with the same name and path", {
    image,
    volumes: [{ name: "a", path: "/a", scratch: {} }, { name: "a", path: "/a", config: "b" }],
  }, [["workload.spec.volumes[1].name", "UNIQUE"], ["workload.spec.volumes[1].path", "UNIQUE"]]],
  ["a volume without a source", { image, volumes: [{ name: "a", path: "/a" }] }, [[
    "workload.spec.volumes[0]",
    "EXACTLY_ONE",
  ]]],
  ["storage without a size", { image, volumes: [{ name: "a", path: "/a", storage: {} }] }, [[
    "workload.spec.volumes[0].storage.size",
    "REQUIRED",
  ]]],
  ["two copies with unshared storage", {
    image,
    replicas: 2,
    volumes: [{ name: "a", path: "/a", storage: { size: "1Gi" } }],
  }, [["workload.spec.replicas", "STORAGE_NOT_SHARED"]]],
  ["an invalid host", { image, ports: [{ port: 80 }], ingress: { host: "a_b" } }, [[
    "workload.spec.ingress.host",
    "HOST",
  ]]],
  ["an ingress without a port", { image, ingress: { host: "a.b" } }, [[
    "workload.spec.ingress.port",
    "ONE_OF_PORTS",
  ]]],
  ["an ingress to a UDP port", {
    image,
    ports: [{ port: 53, protocol: "UDP" }],
    ingress: { host: "a.b", port: 53, path: "/a//b" },
  }, [["workload.spec.ingress.path", "PATH"], ["workload.spec.ingress.port", "ONE_OF_PORTS"]]],
  ["autoscaling with minimum above maximum, no cpu, and replicas", {
    image,
    replicas: 7,
    autoscaling: { minReplicas: 3, maxReplicas: 2 },
  }, [
    ["workload.spec.autoscaling.max_replicas", "MINIMUM"],
    ["workload.spec.resources.cpu", "REQUIRED"],
    ["workload.spec.replicas", "AUTOSCALED"],
  ]],
  [
    "a disruption budget that allows no eviction",
    { image, disruptionBudget: { maxUnavailable: 0 } },
    [
      ["workload.spec.disruption_budget.max_unavailable", "RANGE"],
    ],
  ],
  ["a range of chart versions", { chart: { name: "web", version: "^1.2.0" } }, [[
    "workload.spec.chart.version",
    "VERSION",
  ]]],
  ["a chart outside the charts folder", { chart: { name: "../web", version: "1.2.0" } }, [[
    "workload.spec.chart.name",
    "CHART_NAME",
  ]]],
  [
    "chart values that are not JSON",
    { chart: { name: "a", version: "1.2.0", values: { a: 1n } } },
    [
      ["workload.spec.chart.values", "VALUES"],
    ],
  ],
  ["a chart together with other fields", {
    image,
    replicas: 2,
    env: { A: "1" },
    resources: { cpu: "1" },
    chart: { name: "web", version: "1.2.0" },
  }, [
    ["workload.spec.image", "CHART_ONLY"],
    ["workload.spec.env", "CHART_ONLY"],
    ["workload.spec.resources", "CHART_ONLY"],
    ["workload.spec.replicas", "CHART_ONLY"],
  ]],
  ["an unknown field", { image, colour: "red" }, [["workload.spec.colour", "UNKNOWN_FIELD"]]],
];

for (const [title, spec, expected] of BAD_SPECS) {
  Deno.test(`${title} is rejected`, () => assert.deepEqual(violationsOf(workload(spec)), expected));
}

Deno.test("all invalid fields are named at once", () => {
  const bad = violationsOf(() =>
    parseWorkloadInput("deploy workload", {
      workloadId: "-",
      workload: { labels: { "mpc/x": "" }, spec: { image: "", replicas: -1 } },
    })
  );
  assert.deepEqual(bad.map(([field]) => field), [
    "workload_id",
    "workload.labels[mpc/x]",
    "workload.spec.replicas",
    "workload.spec.image",
  ]);
});

Deno.test("violations contain no secret values", () => {
  const values = { password: "hunter2".repeat(20_000) };
  for (
    const spec of [
      { image, env: { "no name": "hunter2", LONG: "s3cret".repeat(20_000) } },
      { chart: { name: "web", version: "1.2.0", values } },
    ]
  ) {
    try {
      workload(spec)();
      assert.fail("it must be rejected");
    } catch (error) {
      assert.ok(error instanceof MpcError);
      assert.doesNotMatch(JSON.stringify([error.message, error.violations]), /hunter2|s3cret/);
    }
  }
});

Deno.test("values that depend on other fields are filled in, and stay when the spec is parsed again", () => {
  const cpu = { cpu: "1", memory: null };
  const ports = [{ port: 53, protocol: "UDP" }, { port: 80 }];
  const specs = [
    [{ image, ports, ingress: { host: "a.b" } }, { port: 80, replicas: 1 }],
    [{ image, resources: cpu, autoscaling: { minReplicas: 2, maxReplicas: 4 } }, { replicas: 2 }],
    [{ chart: { name: "web", version: "1.2.0", values: { a: [1] } } }, { replicas: 0 }],
  ] as const;
  for (const [input, { replicas, ...ingress }] of specs) {
    const spec = parseWorkloadSpec("deploy workload", input);
    assert.equal(spec.replicas, replicas);
    if ("port" in ingress) assert.equal(spec.ingress?.port, ingress.port);
    assert.deepEqual(parseWorkloadSpec("scale workload", spec), spec);
  }
});

Deno.test("a workload with ports must have a valid name for a Service", () => {
  const input = { workloadId: "1web", workload: { spec: { image, ports: [{ port: 80 }] } } };
  const found = violationsOf(() => parseWorkloadInput("deploy workload", input));
  assert.deepEqual(found, [["workload_id", "DNS_1035_LABEL"]]);
});

Deno.test("parsing any input throws nothing but INVALID_ARGUMENT", () => {
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
  ["a time to live that is too short", { ttlMs: 1 }, "environment.ttl", "TTL"],
  ["an invalid cluster name", { cluster: "A" }, "environment.cluster", "DNS_1123_LABEL"],
  [
    "a label that Kubernetes reserves",
    {
      labels: { "pod-security.kubernetes.io/enforce": "privileged" },
    },
    "environment.labels[pod-security.kubernetes.io/enforce]",
    "LABEL_KEY",
  ],
  ["a negative quota", { quota: { workloads: -1 } }, "environment.quota.workloads", "MINIMUM"],
  ["an invalid label value", { labels: { a: "b c" } }, "environment.labels.a", "LABEL_VALUE"],
  [
    "too many annotations",
    { annotations: { a: "x".repeat(20_000) } },
    "environment.annotations",
    "MAXIMUM",
  ],
];

for (const [title, fields, field, rule] of BAD_ENVIRONMENTS) {
  Deno.test(`${title} is rejected`, () => {
    assert.deepEqual(violationsOf(environment(fields)), [[field, rule]]);
  });
}

Deno.test("an unset quota is unlimited, and so are 0 and an empty text", () => {
  assert.deepEqual(environment({ quota: { workloads: 0, cpu: "", memory: "2Gi" } })().quota, {
    workloads: null,
    cpu: null,
    memory: "2Gi",
  });
});

Deno.test("parseEnvironmentChange() returns the given fields and no others", () => {
  const change = { labels: {}, ttlMs: null };
  assert.deepEqual(parseEnvironmentChange("x", { environment: change }), change);
});
