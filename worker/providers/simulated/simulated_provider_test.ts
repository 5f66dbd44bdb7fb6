import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_QUOTA } from "@mpc/domain";
import type { Provider } from "@mpc/services";
import { EVERY_MISBEHAVIOUR } from "../../../tests/contract/misbehaviour_cases.ts";
import { providerContract } from "../../../tests/contract/provider_contract.ts";
import { aSpec } from "../../../tests/fakes/documents.ts";
import { FakeClock } from "../../../tests/fakes/fake_clock.ts";
import { rejectsWith } from "../../../tests/fakes/rejects.ts";
import { startDeno } from "../../../tests/servers/subprocess.ts";
import { withFolder } from "../../../tests/servers/with_folder.ts";
import { DEMO_DELAYS, NO_DELAYS, type SimulatedDelays, SimulatedProvider } from "./mod.ts";

for (const [name, delays] of Object.entries({ "at once": NO_DELAYS, "with delays": DEMO_DELAYS })) {
  providerContract(`simulated, ${name}`, { misbehavingImages: EVERY_MISBEHAVIOUR }, () => {
    const clock = new FakeClock();
    const provider = new SimulatedProvider({ clock, delays, statePath: null });
    return Promise.resolve({
      provider,
      advance: (ms) => clock.advance(ms),
      close: () => provider.close(),
    });
  });
}

providerContract(
  "simulated, two providers on one file",
  { misbehavingImages: EVERY_MISBEHAVIOUR },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "mpc-simulated-"));
    const clock = new FakeClock();
    const options = { clock, delays: DEMO_DELAYS, statePath: join(directory, "cluster.db") };
    const [changing, reading] = [new SimulatedProvider(options), new SimulatedProvider(options)];
    return {
      provider: changedAndRead(changing, reading),
      advance: (ms) => clock.advance(ms),
      async close() {
        await changing.close();
        await reading.close();
        await rm(directory, { recursive: true });
      },
    };
  },
);

/** One provider makes the changes; the other serves reads and waits. */
function changedAndRead(changing: Provider, reading: Provider): Provider {
  return {
    name: changing.name,
    assertReachable: (call) => reading.assertReachable(call),
    applyNamespace: (intent, call) => changing.applyNamespace(intent, call),
    applyPolicies: (intent, call) => changing.applyPolicies(intent, call),
    deletePolicies: (ref, call) => changing.deletePolicies(ref, call),
    deleteNamespace: (ref, call) => changing.deleteNamespace(ref, call),
    applyWorkload: (intent, call) => changing.applyWorkload(intent, call),
    pruneWorkload: (intent, call) => changing.pruneWorkload(intent, call),
    deleteWorkloads: (refs, call) => changing.deleteWorkloads(refs, call),
    awaitNamespaceGone: (ref, call) => reading.awaitNamespaceGone(ref, call),
    awaitRollout: (intent, call) => reading.awaitRollout(intent, call),
    awaitWorkloadGone: (ref, call) => reading.awaitWorkloadGone(ref, call),
    inventory: (call) => reading.inventory(call),
    unmanagedObjects: (ref, call) => reading.unmanagedObjects(ref, call),
    rolloutStatus: (environment, workload, call) =>
      reading.rolloutStatus(environment, workload, call),
    logs: (environment, workload, query) => reading.logs(environment, workload, query),
    pods: (environment, workload, call) => reading.pods(environment, workload, call),
    events: (environment, workload, call) => reading.events(environment, workload, call),
    reviewToken: (review) => reading.reviewToken(review, call),
    drift: (intent, call) => reading.drift(intent, call),
    environmentDrift: (intent, call) => reading.environmentDrift(intent, call),
    close: () => changing.close(),
  };
}

const call = { signal: new AbortController().signal };
const dev = { environment: "dev", uid: "uid-dev", cluster: "default", labels: {}, quota: NO_QUOTA };
const web = {
  environment: "dev",
  workload: "web",
  uid: "uid-web",
  labels: {},
  spec: aSpec({ replicas: 4 }),
  revision: 1,
  restartToken: "",
};

const DELAYS: SimulatedDelays = { replicaMs: 1_000, deleteMs: 1_000, stickyMs: 60_000 };

const withState = (
  use: (clock: FakeClock, open: () => SimulatedProvider, path: string) => Promise<void>,
): Promise<void> =>
  withFolder(async (folder) => {
    const clock = new FakeClock();
    const statePath = join(folder, "cluster.db");
    const open = () => new SimulatedProvider({ clock, delays: DELAYS, statePath });
    await use(clock, open, statePath);
  });

Deno.test("time passes on the cluster during a restart", () =>
  withState(async (clock, open) => {
    const before = open();
    await before.applyNamespace(dev, call);
    await before.applyWorkload(web, call);
    await before.close();
    await clock.advance(2_500);
    const after = open();
    assert.equal((await after.rolloutStatus("dev", "web", call))?.ready, 2, "it went on meanwhile");
    await after.deleteNamespace(dev, call);
    await after.close();
    await clock.advance(5_000);
    const last = open();
    assert.deepEqual((await last.inventory(call)).objects, []);
    await last.close();
  }));

Deno.test("scaling keeps running replicas, a new image replaces them one by one", () =>
  withState(async (clock, open) => {
    const provider = open();
    const ready = async () => (await provider.rolloutStatus("dev", "web", call))?.ready;
    await provider.applyNamespace(dev, call);
    await provider.applyWorkload(web, call);
    await clock.advance(4_000);
    await provider.applyWorkload({ ...web, spec: aSpec({ replicas: 6 }), revision: 2 }, call);
    assert.equal(await ready(), 4);
    await clock.advance(1_000);
    assert.equal(await ready(), 5);
    const other = aSpec({ replicas: 6, image: "nginx:2" });
    await provider.applyWorkload({ ...web, spec: other, revision: 3 }, call);
    assert.equal(await ready(), 0);
    await clock.advance(6_000);
    assert.equal(await ready(), 6);
    await provider.close();
  }));

Deno.test("logs: tail, since, one replica, and following as time passes", () =>
  withState(async (clock, open) => {
    const provider = open();
    await provider.applyNamespace(dev, call);
    await provider.applyWorkload({ ...web, spec: aSpec({ replicas: 2 }) }, call);
    await clock.advance(12_000);
    const query = { ...call, follow: false, tail: null, since: null, replica: null };
    const read = async (
      more: Partial<typeof query> | { tail: number; since: number; replica: string },
    ) => {
      const lines: string[] = [];
      for await (const { replica, text } of provider.logs("dev", "web", { ...query, ...more })) {
        lines.push(`${replica.slice(-1)} ${text}`);
      }
      return lines;
    };
    assert.equal((await read({})).length, 6);
    assert.deepEqual(await read({ tail: 1, since: 0, replica: "web-r1-2" }), [
      "2 served 20 requests",
    ]);
    const none = read({ replica: "web-r1-3", tail: 1, since: 0 });
    await rejectsWith(none, "NOT_FOUND", "NOT_ON_CLUSTER");
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      const logs = provider.logs("dev", "web", {
        ...query,
        ...stop,
        signal: stop.signal,
        follow: true,
        tail: 1,
      });
      for await (const { text } of logs) seen.push(text);
    })();
    await clock.advance(10_000);
    stop.abort();
    await following;
    assert.ok(seen.length >= 5, `it went on: ${seen.join(", ")}`);
    await provider.close();
  }));

Deno.test("a wait ends when another process makes the awaited change", () =>
  withState(async (_clock, open) => {
    const [waiting, changing] = [open(), open()];
    await changing.applyNamespace(dev, call);
    const stuck = { ...web, spec: aSpec({ replicas: 1 }) };
    await changing.applyWorkload(stuck, call);
    const told = Promise.withResolvers<void>();
    const rollout = waiting.awaitRollout(stuck, { ...call, onProgress: () => told.resolve() });
    await told.promise;
    await changing.applyWorkload({ ...stuck, spec: aSpec({ replicas: 0 }), revision: 2 }, call);
    assert.equal((await rollout).revision, 2, "no time has passed on the cluster's clock");
    await waiting.close();
    await changing.close();
  }));

Deno.test("attempts of a flaky image are counted across processes and restarts", () =>
  withState(async (_clock, open) => {
    const first = open();
    await first.applyNamespace(dev, call);
    const flaky = { ...web, spec: aSpec({ image: "x:flaky" }) };
    await rejectsWith(first.applyWorkload(flaky, call), "UNAVAILABLE", "CLUSTER_FAILED");
    await first.close();
    const second = open();
    await rejectsWith(second.applyWorkload(flaky, call), "UNAVAILABLE", "CLUSTER_FAILED");
    await second.applyWorkload(flaky, call);
    await second.close();
  }));

Deno.test("concurrent changes of one object by two processes are both kept", () =>
  withState(async (_clock, open, path) => {
    const provider = open();
    await provider.applyNamespace(dev, call);
    const program = new URL("../../../tests/servers/sharing_cluster.ts", import.meta.url).pathname;
    const relabelling = startDeno(["run", "--allow-all", program, path]);
    await relabelling.line((line) => line === "relabelling" || undefined);
    for (let round = 1; round <= 300; round++) {
      const limited = { ...dev, quota: { ...NO_QUOTA, cpu: `${round}m` } };
      await provider.applyPolicies(limited, call);
      assert.deepEqual(await provider.applyPolicies(limited, call), [], `round ${round}`);
    }
    await provider.deleteNamespace(dev, call);
    assert.equal((await relabelling.status).code, 0, relabelling.output());
    await provider.close();
  }));

Deno.test("an unreadable state file is rejected with what to do", () =>
  withState(async (_clock, open, path) => {
    await writeFile(path, "no database".repeat(1_000));
    assert.throws(open, {
      code: "FAILED_PRECONDITION",
      reason: "SIMULATION_UNREADABLE",
      message: /remove the file/,
    });
  }));
