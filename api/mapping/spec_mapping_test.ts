import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { parseWorkloadSpec, redactSpec } from "@mpc/domain";
import { WorkloadSpecSchema } from "@mpc/proto";
import { fromSpec, toSpec } from "./spec_mapping.ts";

const SPECS: Readonly<Record<string, unknown>> = {
  "an image alone": { image: "nginx:1" },
  "every field of an image": {
    image: "nginx:1",
    replicas: 3,
    ports: [{ name: "http", port: 80, protocol: "TCP" }, {
      name: "dns",
      port: 53,
      protocol: "UDP",
    }],
    env: { A: "1" },
    envFrom: [
      { variable: "B", secret: "keys", key: "b" },
      { variable: "C", config: "settings", key: "c" },
      { secret: "all" },
    ],
    resources: { cpu: "250m", memory: "64Mi" },
    healthCheck: { path: "/ready", port: 80, periodMs: 2_000 },
    livenessCheck: { path: "/live", port: 80, periodMs: 3_000 },
    command: ["a"],
    args: ["b", "c"],
    volumes: [
      { name: "tmp", path: "/a", scratch: { size: "1Gi", inMemory: true } },
      { name: "data", path: "/b", storage: { size: "1Gi", storageClass: "fast", shared: true } },
      { name: "tls", path: "/c", secret: "tls" },
      { name: "conf", path: "/d", readOnly: true, config: "settings" },
    ],
    ingress: { host: "*.b", path: "/x", port: 80, tlsSecret: "tls", ingressClass: "nginx" },
    disruptionBudget: { maxUnavailable: 1 },
    progressDeadlineMs: 90_000,
  },
  "autoscaling": {
    image: "nginx:1",
    resources: { cpu: "1" },
    autoscaling: { minReplicas: 2, maxReplicas: 9, targetCpuPercent: 55 },
  },
  "a chart": { chart: { name: "team/web", version: "1.2.3", values: { a: { b: ["c", null] } } } },
};

for (const [title, input] of Object.entries(SPECS)) {
  Deno.test(`${title} is the same after a round trip over the wire, except for secrets`, () => {
    const spec = parseWorkloadSpec("deploy workload", input);
    const wire = create(WorkloadSpecSchema, toSpec(spec));
    assert.deepEqual(parseWorkloadSpec("deploy workload", fromSpec(wire)), redactSpec(spec));
  });
}
