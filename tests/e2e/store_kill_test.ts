/** A store whose process is killed while writing has everything that it acknowledged. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { startDeno } from "../servers/subprocess.ts";

const ROUNDS = 8;

Deno.test("sqlite: every write acknowledged before kill -9 is there after reopening", async () => {
  const directory = await mkdtemp(join(tmpdir(), "mpc-store-kill-"));
  const path = join(directory, "mpc.db");
  const script = new URL("../servers/writing_store.ts", import.meta.url).pathname;
  const acknowledged: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const writer = startDeno(["run", "--allow-all", script, path, String(round)]);
      // Killed after a different number of acknowledgements each time.
      await writer.line((line) =>
        line === `written e-${round}-${round * 7 + 1}-2` ? line : undefined
      );
      writer.kill("SIGKILL");
      await writer.status;
      const lines = writer.output().split("\n").slice(0, -1);
      acknowledged.push(...lines.flatMap((line) => /^written (\S+)$/.exec(line)?.[1] ?? []));
      const store = openSqliteStore({ path });
      for (const id of acknowledged) {
        const found = await store.environments.get(`environments/${id}`);
        assert.ok(found, `'${id}' was acknowledged before kill ${round + 1}`);
      }
      const events = await store.events.read(0, 100_000);
      const written = new Set(events.map(({ message }) => message));
      assert.equal(written.size, events.length, "no event occurs twice");
      assert.equal(await store.environments.count({}), written.size, "each document has its event");
      await store.close();
    }
    assert.ok(acknowledged.length > ROUNDS);
  } finally {
    await rm(directory, { recursive: true });
  }
});
