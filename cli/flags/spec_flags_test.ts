import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { WorkloadSpecSchema } from "@mpc/proto";
import { host } from "../host/mod.ts";
import { type SpecFlags, specWith } from "./spec_flags.ts";

const BASE = create(WorkloadSpecSchema, {
  ports: [{ port: 80 }],
  healthCheck: { path: "/ready", port: 81, period: { seconds: 7n } },
  ingress: { host: "a.example.com", path: "/x", port: 80, tlsSecret: "t", ingressClass: "c" },
  autoscaling: { minReplicas: 1, maxReplicas: 3, targetCpuPercent: 55 },
  chart: { name: "web", version: "1.0.0", values: { size: "(redacted)" } },
});

const changed = (flags: SpecFlags) => specWith(host, flags, BASE);

Deno.test("specWith() changes the given part of a health check, an ingress and autoscaling", async () => {
  const { healthCheck } = await changed({ healthPort: 82 });
  assert.deepEqual(
    [healthCheck?.path, healthCheck?.port, healthCheck?.period?.seconds],
    ["/ready", 82, 7n],
  );
  const { ingress } = await changed({ hostPath: "/y" });
  assert.deepEqual(
    [ingress?.host, ingress?.path, ingress?.tlsSecret, ingress?.ingressClass],
    ["a.example.com", "/y", "t", "c"],
  );
  const { autoscaling } = await changed({
    autoscale: { minReplicas: 2, maxReplicas: 9, targetCpuPercent: 0 },
  });
  assert.deepEqual([autoscaling?.maxReplicas, autoscaling?.targetCpuPercent], [9, 55]);
});

Deno.test("specWith() keeps the values of a chart whose version changes, not those of another", async () => {
  const { chart } = await changed({ chartVersion: "1.1.0" });
  assert.deepEqual([chart?.name, chart?.version, chart?.values], [
    "web",
    "1.1.0",
    { size: "(redacted)" },
  ]);
  const other = await changed({ chart: "api", chartVersion: "2.0.0" });
  assert.deepEqual(other.chart?.values, {});
  await assert.rejects(changed({ chart: "api" }), /without its version/);
});

Deno.test("specWith() replaces a fixed number of replicas by autoscaling, unless both are given", async () => {
  const autoscale = { minReplicas: 2, maxReplicas: 10, targetCpuPercent: 0 };
  const fixed = create(WorkloadSpecSchema, { image: "web:1", replicas: 5 });
  assert.equal((await specWith(host, { autoscale }, fixed)).replicas, undefined);
  assert.equal((await specWith(host, { autoscale, replicas: 3 }, fixed)).replicas, 3);
  assert.equal((await specWith(host, { image: "web:2" }, fixed)).replicas, 5);
});
