/** What the store says of a database that answers reads, and refuses writes. */
import { rejectsWith } from "@mpc/tests/fakes/rejects.ts";
import { NO_SANITIZERS } from "@mpc/tests/servers/no_sanitizers.ts";
import { startScriptedMongodb } from "@mpc/tests/servers/scripted_mongodb.ts";
import { openMongoStore } from "./store.ts";

const NOTHING = { id: 0n, ns: "mpc.any", firstBatch: [] };

const CASES = [
  [{ code: 14_031, errmsg: "Not enough disk space" }, "RESOURCE_EXHAUSTED", "STORE_FULL"],
  [{ code: 13, errmsg: "not allowed" }, "FAILED_PRECONDITION", "STORE_CREDENTIALS_REJECTED"],
  [{ code: 10_107, errmsg: "not primary" }, "CANCELLED", "ABORTED_BY_CALLER"],
] as const;

for (const [failure, code, reason] of CASES) {
  Deno.test(`a database that answers writes with '${failure.errmsg}'`, NO_SANITIZERS, async () => {
    let writes = true;
    await using server = startScriptedMongodb({
      answer({ find, listCollections, update }) {
        if (find || listCollections) return Promise.resolve({ ok: 1, cursor: NOTHING });
        return update && !writes ? Promise.resolve({ ok: 0, ...failure }) : undefined;
      },
    });
    const store = await openMongoStore({ address: `mongodb://127.0.0.1:${server.port}/mpc` });
    await store.assertWritable();
    writes = false;
    const signal = AbortSignal.timeout(1_000);
    await rejectsWith(store.assertWritable({ signal }), code, reason);
    await store.close();
  });
}
