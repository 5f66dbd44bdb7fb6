import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { providerContract } from "../../../tests/contract/provider_contract.ts";
import { aSpec } from "../../../tests/fakes/documents.ts";
import { FakeClock } from "../../../tests/fakes/fake_clock.ts";
import { DEMO_DELAYS, NO_DELAYS, type SimulatedDelays, SimulatedProvider } from "./mod.ts";

for (const [name, delays] of Object.entries({ "at once": NO_DELAYS, "with delays": DEMO_DELAYS })) {
  providerContract(`simulated, ${name}`, { misbehavingImages: true }, () => {
    const clock = new FakeClock();
    const provider = new SimulatedProvider({ clock, delays, statePath: null });
    return Promise.resolve({
      provider,
      advance: (ms) => clock.advance(ms),
      close: () => provider.close(),
    });
  });
}

const call = { signal: new AbortController().signal };
const quota = { workloads: null, cpu: null, memory: null };
const dev = { environment: "dev", uid: "uid-dev", labels: {}, quota };
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

async function withState(
  use: (clock: FakeClock, open: () => SimulatedProvider, path: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-simulated-"));
  const clock = new FakeClock();
  const statePath = join(directory, "cluster.db");
  try {
    const open = () => new SimulatedProvider({ clock, delays: DELAYS, statePath });
    await use(clock, open, statePath);
  } finally {
    await rm(directory, { recursive: true });
  }
}

Deno.test("a restart finds the cluster as time has left it", () =>
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
    assert.deepEqual(await last.inventory(call), []);
    await last.close();
  }));

Deno.test("scaling keeps the replicas that run, a new image replaces them one by one", () =>
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

Deno.test("a state file that cannot be read is refused with what to do", () =>
  withState(async (_clock, open, path) => {
    await writeFile(path, "no database".repeat(1_000));
    assert.throws(open, {
      code: "FAILED_PRECONDITION",
      reason: "SIMULATION_UNREADABLE",
      message: /remove the file/,
    });
  }));
