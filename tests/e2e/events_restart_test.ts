/** A watcher misses nothing and hears nothing twice, though the server dies in between. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EnvironmentService, EventService, OperationService } from "@mpc/proto";
import { followEvents } from "../../cli/follow_events.ts";
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
  name: "watching goes on behind its token when the server was killed and started again",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const directory = await mkdtemp(join(tmpdir(), "mpc-events-"));
    const args = ["--data-dir", directory, "--simulated-delays=none"];
    let platform = await startPlatform(args);
    const { origin, port } = platform.web;
    const client = createClient(EventService, createGrpcWebTransport({ baseUrl: origin }));
    const stop = new AbortController();
    const sequences: number[] = [];
    const synced = Promise.withResolvers<void>();
    const last = Promise.withResolvers<void>();
    const watching = (async () => {
      for await (const told of followEvents(client, { skipExisting: true }, stop.signal)) {
        if (told.synced) synced.resolve();
        if (!told.event) continue;
        sequences.push(Number(told.event.sequence));
        if (told.event.target === "environments/f" && told.event.reason === "Ready") last.resolve();
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
      const first = sequences[0] ?? 0;
      assert.deepEqual(
        sequences,
        sequences.map((_, index) => first + index),
        "every event once, in order",
      );
      assert.ok(sequences.length >= 6 * 6, "the events of all six environments");
    } finally {
      stop.abort();
      await platform.stop();
      await rm(directory, { recursive: true });
    }
  },
});
