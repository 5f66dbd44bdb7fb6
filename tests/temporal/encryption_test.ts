/** With a payload key Temporal stores nothing that can be read but ids, kinds and actors. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { uncheckedError } from "@mpc/domain";
import { openMemoryStore } from "@mpc/storage/memory";
import { workflowIdOf } from "../../worker/engine/temporal/workflow_id.ts";
import { faultyDefinitions, hang } from "../fakes/faulty_definitions.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { startDeno } from "../servers/subprocess.ts";
import { EXACT_TIMERS, runTemporal, startTemporalServer } from "../servers/temporal_server.ts";
import { withFolder } from "../servers/with_folder.ts";
import { withSecondStep } from "./with_second_step.ts";
import { simulated, TemporalWorld, TEST_INSTALLATION } from "./temporal_world.ts";

const newKey = () => crypto.getRandomValues(new Uint8Array(32)).toBase64();

/** In errors, in heartbeats, in the reason of a cancellation, and in the names of workloads. */
const PLANTED = ["pineapple", "mango", "papaya", "web"];

const failing = (word: string, code: "UNAVAILABLE" | "FAILED_PRECONDITION") =>
  uncheckedError(code, "INJECTED", {
    message: `the disk of ${word} broke`,
    cause: new Error(`because of ${word}`),
  });

/** A creation that is retried and fails, and a deployment that hangs and is cancelled. */
const definitions = () =>
  faultyDefinitions([{
    kind: "environment.create",
    step: "apply_policies",
    run(run, call, { target, heartbeat }) {
      if (target !== "environments/bad") return run();
      heartbeat("mango", { fruit: "mango" });
      const code = call === 1 ? "UNAVAILABLE" : "FAILED_PRECONDITION";
      return Promise.reject(failing("pineapple", code));
    },
    undo: () => Promise.reject(failing("mango", "FAILED_PRECONDITION")),
  }, {
    kind: "workload.deploy",
    step: "await_rollout",
    run: (_run, _call, { signal, heartbeat }) => {
      heartbeat("papaya", { fruit: "papaya" });
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      );
    },
  }]).definitions;

/** The words that the files of a Temporal contain after these operations. */
async function storedWords(folder: string, payloadKey: string | null): Promise<readonly string[]> {
  const server = await startTemporalServer({
    database: join(folder, "temporal.db"),
    dynamicConfig: EXACT_TIMERS,
  });
  try {
    await using world = await TemporalWorld.start(server.address, {
      config: { payloadKey },
      definitions: definitions(),
    });
    const failed = await world.ended(await world.create("bad"));
    assert.equal(failed.state, "NEEDS_ATTENTION");
    assert.equal((await world.ended(await world.create("dev"))).state, "SUCCEEDED");
    const deployed = await world.deploy("hunter2");
    await world.until(deployed, ({ steps }) => steps[1]!.progress === "papaya");
    await world.engine.cancel(deployed);
    assert.equal((await world.ended(deployed)).state, "CANCELLED");
  } finally {
    await server.stop();
  }
  const files = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), "latin1")),
  );
  return ["environment.create", "hunter2", ...PLANTED].filter((word) =>
    files.some((text) => text.includes(word))
  );
}

Deno.test({
  name:
    "the files of Temporal contain no word of an error, heartbeat or name, unlike without a key",
  ...NO_SANITIZERS,
  fn: () =>
    withFolder(async (folder) => {
      const [open, sealed] = [join(folder, "open"), join(folder, "sealed")];
      await Promise.all([open, sealed].map((path) => Deno.mkdir(path)));
      assert.deepEqual(await storedWords(open, null), ["environment.create", ...PLANTED]);
      assert.deepEqual(await storedWords(sealed, newKey()), ["environment.create"]);
    }),
});

Deno.test({
  name: "keys change while an operation runs, and while workers have them in different orders",
  ...NO_SANITIZERS,
  async fn() {
    const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
    try {
      const [old, next] = [newKey(), newKey()];
      const store = openMemoryStore();
      const provider = simulated();
      const definitions = withSecondStep({ run: (run, call) => call === 1 ? hang() : run() });
      const worker = (...keys: string[]) =>
        TemporalWorld.start(server.address, {
          store,
          provider,
          definitions,
          config: { payloadKey: keys.join("\n") },
        });
      const before = await worker(old);
      const name = await before.create("begun");
      await before.until(name, ({ steps }) => steps[1]!.state === "RUNNING");
      await before[Symbol.asyncDispose]();
      await using one = await worker(old, next);
      {
        await using _other = await worker(next, old);
        assert.equal((await one.ended(name)).state, "SUCCEEDED");
        for (const id of ["a", "b", "c"]) {
          assert.equal((await one.ended(await one.create(id))).state, "SUCCEEDED");
        }
      }
      await provider.close();
    } finally {
      await server.stop();
    }
  },
});

Deno.test({
  name: "Temporal's CLI reads a history through the codec server, and not without it",
  ...NO_SANITIZERS,
  fn: () =>
    withFolder(async (folder) => {
      const payloadKey = newKey();
      const keyFile = join(folder, "key");
      await Deno.writeTextFile(keyFile, payloadKey);
      const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
      const [, ...command] = config.tasks.codec.split(" ");
      const codec = startDeno([
        ...command,
        `--payload-key-file=${keyFile}`,
        "--codec-listen=127.0.0.1:0",
      ]);
      try {
        const endpoint = await codec.line((line) => /^ *endpoint +(http\S+)$/.exec(line)?.[1]);
        await using world = await TemporalWorld.start(server.address, {
          config: { payloadKey },
          definitions: definitions(),
        });
        const name = await world.create("bad");
        await world.ended(name);
        const show = "temporal workflow show --output json --workflow-id " +
          workflowIdOf(TEST_INSTALLATION.id, name);
        assert.doesNotMatch(await runTemporal(server.address, show), /pineapple/);
        const read = await runTemporal(server.address, `${show} --codec-endpoint ${endpoint}`);
        const decoded = read.replaceAll(/(?<="data": ")[^"]+/g, (data) => atob(data));
        assert.match(decoded, /the disk of pineapple broke/);
        assert.ok(decoded.includes(name));
      } finally {
        codec.kill("SIGTERM");
        assert.equal((await codec.status).code, 0, codec.output());
        await server.stop();
      }
    }),
});
