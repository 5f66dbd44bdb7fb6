/** `kill -9` of the dev process under load, repeatedly; then everything settles. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  DiagnosticsService,
  EnvironmentService,
  OperationService,
  WorkloadService,
} from "@mpc/proto";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { verifyStore } from "../contract/audit_cases.ts";
import { SeededIds } from "../fakes/seeded_ids.ts";
import { startPlatform } from "../servers/platform_process.ts";
import { wasCutOff } from "./cut_off.ts";

const KILLS = 50;

/** Callers that each create an environment, deploy into it and delete it. */
const CALLERS = 6;

/** Callers that change the same few resources and conflict with one another. */
const RIVALS = 3;

/** How many changes every second process acknowledges before it is killed. */
const ANSWERS = 3;

/** The longest time that a process then lives. */
const MAX_LIFE_MS = 150;

Deno.test({
  name: `nothing acknowledged is lost or done twice when the process is killed ${KILLS} times`,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const seed = Math.trunc(performance.timeOrigin) % 2 ** 31;
    const random = new SeededIds(seed);
    const directory = await mkdtemp(join(tmpdir(), "mpc-kill-"));
    const acknowledged: string[] = [];
    let wanted = Promise.withResolvers<void>();
    let wantedCount = 0;
    const acknowledge = (name: string) => {
      if (acknowledged.push(name) >= wantedCount) wanted.resolve();
    };
    const args = ["--data-dir", directory, "--simulated-delays=none"];
    let environment = 0;
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        const platform = await startPlatform(args);
        // Every second process has answered before it is killed, however busy the machine is.
        wanted = Promise.withResolvers<void>();
        wantedCount = acknowledged.length + (kill % 2 === 0 ? ANSWERS : 0);
        if (kill % 2 === 1) wanted.resolve();
        const life: Life = { server: platform.web, over: false };
        const load = [
          ...Array.from({ length: CALLERS }, () => {
            const id = `e-${environment++}`;
            return change(life, id, acknowledge);
          }),
          ...Array.from({ length: RIVALS }, () => compete(life, random, acknowledge)),
        ];
        await Promise.race([wanted.promise, Promise.all(load)]);
        // A real process dies at a random time: this wait is the experiment, not a synchronization.
        await new Promise((resolve) => setTimeout(resolve, random.random() * MAX_LIFE_MS));
        life.over = true;
        await platform.kill();
        await Promise.all(load);
      }
      const platform = await startPlatform(args);
      const transport = createGrpcWebTransport({ baseUrl: platform.web.origin });
      const operations = createClient(OperationService, transport);
      for (const name of acknowledged) {
        const { done } = await operations.waitOperation({ name });
        assert.ok(done, `acknowledged '${name}' has ended (seed ${seed})`);
      }
      const { findings } = await createClient(DiagnosticsService, transport).diagnose({});
      assert.deepEqual(findings, [], `the platform is sound (seed ${seed})`);
      await platform.stop();
      assert.ok(acknowledged.length > KILLS, "there was load");
      await assertOnce(directory, acknowledged, seed);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
});

/** A process from its start to its kill. */
interface Life {
  readonly server: URL;
  /** Set right before the kill: until then every call must be answered. */
  over: boolean;
}

/** Creates an environment, deploys into it and deletes it, until the process is gone. */
async function change(
  life: Life,
  id: string,
  acknowledge: (name: string) => void,
): Promise<void> {
  const { server } = life;
  const transport = createGrpcWebTransport({ baseUrl: server.origin, defaultTimeoutMs: 5_000 });
  const environments = createClient(EnvironmentService, transport);
  const workloads = createClient(WorkloadService, transport);
  const operations = createClient(OperationService, transport);
  const parent = `environments/${id}`;
  const workload = { spec: { image: "nginx:1.27", replicas: 2 } };
  try {
    const changes = [
      () => environments.createEnvironment({ environmentId: id, environment: {} }),
      () => workloads.deployWorkload({ parent, workloadId: "web", workload }),
      () => workloads.deployWorkload({ parent, workloadId: "web", workload }),
      () => environments.deleteEnvironment({ name: parent, force: true }),
    ];
    for (const call of changes) {
      const { name } = await call();
      acknowledge(name);
      await operations.waitOperation({ name });
    }
  } catch (error) {
    // The process was killed during a call: it promised nothing that it did not answer.
    if (!life.over || !wasCutOff(error)) throw error;
  }
}

/** Makes changes that conflict with those of others, until the process is gone. */
async function compete(
  life: Life,
  random: SeededIds,
  acknowledge: (name: string) => void,
): Promise<void> {
  const { server } = life;
  const transport = createGrpcWebTransport({ baseUrl: server.origin, defaultTimeoutMs: 5_000 });
  const environments = createClient(EnvironmentService, transport);
  const workloads = createClient(WorkloadService, transport);
  const operations = createClient(OperationService, transport);
  const name = "environments/shared";
  const deploy = (image: string) =>
    workloads.deployWorkload({ parent: name, workloadId: "web", workload: { spec: { image } } });
  const changes = [
    () => environments.createEnvironment({ environmentId: "shared", environment: {} }),
    () => environments.deleteEnvironment({ name, force: true }),
    () => environments.deleteEnvironment({ name, force: true, abandon: true }),
    () => deploy("nginx:1.27"),
    () => deploy("nginx:flaky"),
    () => workloads.deleteWorkload({ name: `${name}/workloads/web` }),
  ];
  for (;;) {
    try {
      const { name: operation } = await changes[Math.floor(random.random() * changes.length)]!();
      acknowledge(operation);
      if (random.random() < 0.3) await operations.cancelOperation({ name: operation });
    } catch (error) {
      if (life.over && wasCutOff(error)) return;
      if (!(error instanceof ConnectError && REFUSALS.has(error.code))) throw error;
    }
  }
}

/** Rivals are rejected all the time; any other error, except the end of the process, is a bug. */
const REFUSALS: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.NotFound,
]);

/** Asserts that every operation in the log ended once, and that the log is in order. */
async function assertOnce(
  directory: string,
  acknowledged: readonly string[],
  seed: number,
): Promise<void> {
  const store = openSqliteStore({ path: join(directory, "mpc.db") });
  try {
    const ends = new Map<string, number>();
    let sequence = 0;
    for (;;) {
      const events = await store.events.read(sequence, 1_000);
      if (events.length === 0) break;
      for (const event of events) {
        assert.ok(event.sequence > sequence, `the log is in order (seed ${seed})`);
        sequence = event.sequence;
        if (event.resource?.kind !== "operation" || event.resource.value.endTime === null) continue;
        ends.set(event.target, (ends.get(event.target) ?? 0) + 1);
      }
    }
    const twice = [...ends].filter(([, count]) => count !== 1);
    assert.deepEqual(twice, [], `every operation ended once (seed ${seed})`);
    const silent = acknowledged.filter((name) => !ends.has(name));
    assert.deepEqual(silent, [], `the log has the end of every operation (seed ${seed})`);
    const live = await store.operations.count({
      filter: { op: "=", path: ["endTime"], value: null },
    });
    assert.equal(live, 0, `every operation ended (seed ${seed})`);
    await assertAudited(store, [...ends.keys()], seed);
  } finally {
    await store.close();
  }
}

/** Asserts that no operation was admitted without a record of its request, and that none is missing. */
async function assertAudited(
  store: Store,
  operations: readonly string[],
  seed: number,
): Promise<void> {
  const { checked, problem } = await verifyStore(store);
  assert.deepEqual(problem, null, `the audit is whole (seed ${seed})`);
  assert.ok(checked > operations.length, "calls have a record before and after");
  for (const operation of operations) {
    const requested = await store.audit.count({
      filter: {
        op: "and",
        terms: [
          { op: "=", path: ["operation"], value: operation },
          { op: "=", path: ["phase"], value: "REQUESTED" },
        ],
      },
    });
    assert.ok(requested > 0, `'${operation}' was recorded before it was admitted (seed ${seed})`);
  }
}
