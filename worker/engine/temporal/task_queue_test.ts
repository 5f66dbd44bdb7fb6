import assert from "node:assert/strict";
import { livePollers } from "./task_queue.ts";

Deno.test("a poller is gone when it polled 90 s before the latest one, whatever our clock says", () => {
  const long = (seconds: number) => ({ toString: () => String(seconds) });
  const [gone, slow, latest] = [9, 10, 100].map((seconds) => ({
    lastAccessTime: { seconds: long(seconds) },
  }));
  assert.deepEqual(livePollers([gone!, latest!, slow!]), [latest, slow]);
  assert.deepEqual(livePollers([]), []);
  assert.deepEqual(livePollers([gone!], [latest!]), [], "seen from another task queue");
});
