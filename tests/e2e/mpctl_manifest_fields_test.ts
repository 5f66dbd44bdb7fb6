/** Every field that a file can say is compared and applied: a changed value is never "unchanged". */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { EnvironmentSchema, WorkloadSpecSchema } from "@mpc/proto";
import { testMpctl, type World } from "./mpctl_world.ts";

type Fields = Readonly<Record<string, JsonValue>>;

const SPEC: Fields = { image: "nginx:1", ports: [{ port: 80 }, { name: "tls", port: 443 }] };

/** Changed values of each field of a spec; each row is applied after the one before it. */
const SPECS: readonly Fields[] = [
  { image: "nginx:2" },
  { replicas: 3 },
  { ports: [{ port: 80 }, { name: "tls", port: 443, protocol: "UDP" }] },
  { ports: [{ name: "web", port: 80 }] },
  { env: { A: "1" } },
  { env: { A: "2" } },
  { resources: { cpu: "100m" } },
  { resources: { cpu: "100m", memory: "64Mi" } },
  { healthCheck: { path: "/ready", port: 80 } },
  { healthCheck: { path: "/ready", port: 80, period: "7s" } },
  { livenessCheck: { path: "/live", port: 80 } },
  { livenessCheck: { path: "/alive", port: 80 } },
  { command: ["serve"] },
  { args: ["--quiet"] },
  { args: ["--quiet", "--fast"] },
  { progressDeadline: "90s" },
  { progressDeadline: "91s" },
  { envFrom: [{ secret: "credentials" }] },
  { envFrom: [{ variable: "V", config: "settings", key: "k" }] },
  { volumes: [{ name: "v", path: "/v", scratch: {} }] },
  { volumes: [{ name: "v", path: "/v", scratch: { size: "1Gi" } }] },
  { volumes: [{ name: "v", path: "/v", scratch: { size: "1Gi", inMemory: true } }] },
  { volumes: [{ name: "v", path: "/v", secret: "s" }] },
  { volumes: [{ name: "v", path: "/v", config: "c" }] },
  { volumes: [{ name: "v", path: "/w", config: "c" }] },
  { ingress: { host: "a.example.com" } },
  { ingress: { host: "a.example.com", path: "/x" } },
  { ingress: { host: "a.example.com", tlsSecret: "t" } },
  { ingress: { host: "a.example.com", ingressClass: "c" } },
  { ingress: { host: "a.example.com", port: 443 } },
  { disruptionBudget: { maxUnavailable: 1 } },
  { disruptionBudget: { maxUnavailable: 2 } },
  { resources: { cpu: "100m" }, autoscaling: { minReplicas: 1, maxReplicas: 4 } },
  { resources: { cpu: "100m" }, autoscaling: { minReplicas: 1, maxReplicas: 5 } },
  {
    resources: { cpu: "100m" },
    autoscaling: { minReplicas: 1, maxReplicas: 5, targetCpuPercent: 50 },
  },
];

const WORKLOADS: readonly Fields[] = [
  ...SPECS.map((fields) => ({ spec: { ...SPEC, ...fields } })),
  { spec: SPEC, labels: { tier: "front" } },
  { spec: SPEC, labels: { tier: "back" } },
  { spec: SPEC, annotations: { note: "a" } },
  { spec: SPEC, annotations: { note: "b" } },
];

const ENVIRONMENTS: readonly Fields[] = [
  { labels: { team: "a" } },
  { labels: {} },
  { annotations: { note: "a" } },
  { quota: { workloads: 9 } },
  { quota: { cpu: "4" } },
  { quota: { memory: "4Gi" } },
  { quota: {} },
  { deletionProtection: true },
  { deletionProtection: false },
  { ttl: "7200s" },
  { expireTime: new Date(Date.now() + 40 * 86_400_000).toISOString() },
];

/** Fields that are compared in other tests, or that a server without charts or clusters rejects. */
const ELSEWHERE = new Set(["chart", "name", "etag", "cluster"]);

async function applyEach(
  { mpctl, directory }: World,
  name: string,
  versions: readonly Fields[],
): Promise<void> {
  const path = join(directory, "fields.json");
  for (const fields of versions) {
    await writeFile(path, JSON.stringify({ name, ...fields }));
    const text = JSON.stringify(fields);
    const diff = await mpctl("diff", "-f", path);
    assert.equal(diff.code, 8, `${text}: ${diff.out}${diff.err}`);
    const { code, out, err } = await mpctl("apply", "-f", path);
    assert.deepEqual([code, out], [0, `${name} configured\n`], `${text}: ${err}`);
    if (!name.includes("/workloads/") || fields === versions.at(-1)) {
      const again = await mpctl("diff", "-f", path);
      assert.deepEqual([again.code, again.out], [0, ""], `${text}: ${again.err}`);
    }
  }
}

/** Asserts that some row has each field that a caller can set. */
function assertComplete(schema: DescMessage, rows: readonly Fields[]): void {
  const seen = new Set(rows.flatMap((fields) => Object.keys(fields)));
  for (const row of rows) fromJson(schema, row);
  const missing = schema.fields.map(({ jsonName }) => jsonName)
    .filter((field) => !seen.has(field) && !ELSEWHERE.has(field) && !OUTPUT.has(field));
  assert.deepEqual(missing, [], "each field has a row");
}

/** Fields that only the server sets (AIP-203): ignored, so that the output of `get` can be applied. */
const OUTPUT = new Set([
  ...["uid", "generation", "createTime", "updateTime", "state", "conditions", "reconciling"],
  ...["currentOperation", "lastOperation"],
]);

testMpctl("mpctl compares and applies", [
  ["every field of an environment", async (world) => {
    assertComplete(EnvironmentSchema, ENVIRONMENTS);
    assert.equal((await world.mpctl("env", "create", "dev")).code, 0);
    await applyEach(world, "environments/dev", ENVIRONMENTS);
  }],
  ["every field of a workload", async (world) => {
    assertComplete(WorkloadSpecSchema, SPECS);
    const deploy = ["workload", "deploy", "web", "--env", "dev", "--image", "nginx:0"];
    assert.equal((await world.mpctl(...deploy)).code, 0);
    await applyEach(world, "environments/dev/workloads/web", WORKLOADS);
  }],
], { platformArgs: ["--simulated-delays=none"] });
