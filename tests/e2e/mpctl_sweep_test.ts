/** A sweep, and the claim of a cluster, from their user's view, with a server that is killed. */
import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Event } from "@mpc/domain";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";
import { openWorld } from "./mpctl_world.ts";

/** A server that can be killed and started again on its data, and mpctl against it. */
async function withServer(
  use: (server: {
    readonly mpctl: (
      ...words: string[]
    ) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
    readonly data: string;
    readonly start: () => Promise<void>;
    readonly kill: () => Promise<void>;
    /** The log, while no server runs. */
    readonly events: () => Promise<readonly Event[]>;
    /** Deletes the records of an environment and its workload, while no server runs. */
    readonly lose: (environment: string) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await openWorld());
  const data = join(world.directory, "data");
  let platform: PlatformProcess | undefined;
  stack.defer(async () => await platform?.stop());
  await use({
    data,
    mpctl: (...words) => world.run([...words, "--server", platform!.web.origin]),
    async start() {
      platform = await startPlatform(["--data-dir", data]);
    },
    async kill() {
      await platform?.kill();
      platform = undefined;
    },
    async events() {
      const store = openSqliteStore({ path: join(data, "mpc.db") });
      const all = await store.events.read(0, 10_000);
      await store.close();
      return all;
    },
    async lose(environment) {
      const store = openSqliteStore({ path: join(data, "mpc.db") });
      const name = `environments/${environment}`;
      const workload = await store.workloads.get(`${name}/workloads/web`);
      if (workload) await store.workloads.delete(workload.value.name, workload.version);
      await store.environments.delete(name, (await store.environments.get(name))!.version);
      await store.close();
    },
  });
}

const NO_LEAKS = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name: "a sweep is an operation: listed, followed, resumed after kill -9, and cancelled",
  ...NO_LEAKS,
  fn: () =>
    withServer(async ({ mpctl, start, kill, lose, events }) => {
      await start();
      for (const id of ["kept", "lost", "held"]) {
        assert.equal((await mpctl("env", "create", id)).code, 0);
      }
      const sticky = ["--env", "held", "--image", "nginx:sticky"];
      assert.equal((await mpctl("workload", "deploy", "web", ...sticky)).code, 0);
      await kill();
      await lose("lost");
      await start();
      const listed = await mpctl("doctor", "--sweep", "--dry-run");
      assert.match(listed.out, /^ {2}- Namespace\/lost$/m);
      const asked = await mpctl("doctor", "--sweep");
      assert.equal(asked.code, 2);
      assert.match(asked.err, /Add --yes/);
      const began = await mpctl("doctor", "--sweep", "--yes", "--no-wait");
      assert.equal(began.code, 0, began.err);
      const name = began.out.trim();
      assert.match(name, /^operations\//);
      await kill();
      await start();
      const watched = await mpctl("op", "watch", name);
      assert.equal(watched.code, 0, watched.err);
      const ended = await mpctl("op", "get", name, "-o", "json");
      const { kind, target, state, actor, steps } = JSON.parse(ended.out);
      assert.deepEqual([kind, target, state], [
        "platform.sweep",
        "platform",
        "OPERATION_STATE_SUCCEEDED",
      ]);
      assert.notEqual(actor, "");
      assert.match(steps[0].progress, /^removing .*Namespace\/lost/);
      assert.match((await mpctl("op", "list")).out, /platform\.sweep/);
      assert.equal((await mpctl("doctor")).code, 0);

      await kill();
      const audit = (await events()).filter(({ operation }) => operation === name)
        .filter(({ reason }) => /Sweep|Swept/.test(reason));
      assert.deepEqual(audit.map(({ reason, actor: who }) => [reason, who]), [
        ["SweepRequested", actor],
        ["OrphanSwept", actor],
      ]);
      assert.ok(audit.every(({ message }) => message.includes("Namespace/lost")));
      await lose("held");
      await start();
      const held = (await mpctl("doctor", "--sweep", "--yes", "--no-wait")).out.trim();
      const late = await mpctl("op", "watch", held, "--timeout", "2s");
      assert.equal(late.code, 5, late.err);
      const explained = await mpctl("op", "explain", held);
      assert.match(explained.out, /await_objects_gone/);
      const cancelled = await mpctl("op", "cancel", held, "--reason", "tested");
      assert.equal(cancelled.code, 0, cancelled.err);
      const last = JSON.parse((await mpctl("op", "get", held, "-o", "json")).out).state;
      assert.equal(last, "OPERATION_STATE_CANCELLED");
    }),
});

Deno.test({
  name: "a restored backup changes nothing, says so, and goes on when it claims the cluster",
  ...NO_LEAKS,
  fn: () =>
    withServer(async ({ mpctl, start, kill, data }) => {
      await start();
      assert.equal((await mpctl("env", "create", "old")).code, 0);
      await kill();
      const backup = join(data, "backup.db");
      const original = openSqliteStore({ path: join(data, "mpc.db") });
      await original.close();
      await copyFile(join(data, "mpc.db"), backup);
      await start();
      assert.equal((await mpctl("env", "create", "new")).code, 0);
      await kill();
      const latest = openSqliteStore({ path: join(data, "mpc.db") });
      await latest.close();
      await copyFile(backup, join(data, "mpc.db"));
      await start();
      const doctor = await mpctl("doctor");
      assert.equal(doctor.code, 1);
      assert.match(doctor.out, /CLUSTER_CLAIMED_ELSEWHERE clusters\/default/);
      const remedy = "mpctl doctor --claim default";
      assert.ok(doctor.out.includes(`repair: ${remedy}`), doctor.out);
      const refused = await mpctl("env", "delete", "old");
      assert.notEqual(refused.code, 0);
      assert.match(refused.err, /CLUSTER_CLAIMED_ELSEWHERE|mpctl doctor --claim default/);
      const swept = await mpctl("doctor", "--sweep", "--yes");
      assert.notEqual(swept.code, 0);
      assert.match((await mpctl("doctor")).out, /Namespace\/new/);
      assert.equal((await mpctl(...remedy.split(" ").slice(1))).code, 2, "it asks");
      const claimed = await mpctl(...remedy.split(" ").slice(1), "--yes");
      assert.equal(claimed.code, 0, claimed.err);
      assert.match(claimed.out, /cluster 'default' is claimed/);
      assert.equal((await mpctl("doctor", "--sweep", "--yes")).code, 0);
      assert.equal((await mpctl("env", "delete", "old")).code, 0);
      assert.equal((await mpctl("doctor")).code, 0);
    }),
});
