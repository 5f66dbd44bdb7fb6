/** A watcher receives every event once, although the server is killed in between. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService, OperationService } from "@mpc/proto";
import { connect, watchEvents } from "@mpc/client";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";

async function create({ web }: PlatformProcess, ids: readonly string[]): Promise<void> {
  const transport = createGrpcWebTransport({ baseUrl: web.origin });
  const environments = createClient(EnvironmentService, transport);
  const operations = createClient(OperationService, transport);
  for (const environmentId of ids) {
    const { name } = await environments.createEnvironment({ environmentId, environment: {} });
    await operations.waitOperation({ name });
  }
}

Deno.test({
  name: "a watch resumes after its last token when the server is killed and started again",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const directory = await mkdtemp(join(tmpdir(), "mpc-events-"));
    const args = ["--data-dir", directory, "--simulated-delays=none"];
    let platform = await startPlatform(args);
    const { port } = platform.web;
    const connection = await connect({ server: platform.web });
    const stop = new AbortController();
    const sequences: number[] = [];
    const synced = Promise.withResolvers<void>();
    const last = Promise.withResolvers<void>();
    const watching = (async () => {
      const updates = watchEvents(connection, { skipExisting: true }, { signal: stop.signal });
      for await (const { event, synced: isSynced, reset } of updates) {
        assert.equal(reset, undefined, "the watch is resumed, not reset");
        if (isSynced) synced.resolve();
        if (!event) continue;
        sequences.push(Number(event.sequence));
        if (event.target === "environments/f" && event.reason === "Ready") last.resolve();
      }
    })();
    watching.catch((error) => last.reject(error));
    try {
      await synced.promise;
      await create(platform, ["a", "b", "c"]);
      await platform.kill();
      platform = await startPlatform([...args, `--web-listen=127.0.0.1:${port}`]);
      await create(platform, ["d", "e", "f"]);
      await last.promise;
      stop.abort();
      await assert.rejects(watching, { code: Code.Canceled });
      await platform.stop();
      const store = openSqliteStore({ path: join(directory, "mpc.db") });
      const events = await store.events.read(0, 10_000);
      await store.close();
      const logged = events.map(({ sequence }) => sequence).slice(0, sequences.length);
      assert.deepEqual(sequences, logged, "every event once, in order");
      assert.ok(sequences.length >= 6 * 6, "the events of all six environments");
    } finally {
      stop.abort();
      await platform.stop();
      await rm(directory, { recursive: true });
    }
  },
});
