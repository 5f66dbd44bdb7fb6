import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { live, worldTest } from "../../../../tests/fakes/kubernetes/fake_cluster_world.ts";
import { rejectsWith } from "../../../../tests/fakes/rejects.ts";
import { POD, RESOURCE_QUOTA } from "./kinds.ts";
import { SharedLists } from "./shared_lists.ts";

const DEV = { namespace: "dev" };

worldTest("simultaneous lists are one request, and a later list is another", async (world) => {
  const lists = new SharedLists(world.cluster.client);
  const { signal } = live();
  const before = world.count("list");
  const results = await Promise.all([1, 2, 3].map(() => lists.list(RESOURCE_QUOTA, DEV, signal)));
  assert.equal(world.count("list") - before, 1);
  assert.equal(results[0], results[2]);
  await Promise.all([
    lists.list(RESOURCE_QUOTA, DEV, signal),
    lists.list(RESOURCE_QUOTA, { namespace: "other" }, signal),
    lists.list(POD, DEV, signal),
  ]);
  assert.equal(world.count("list") - before, 4);
});

worldTest("a caller that is aborted leaves the list to the others", async (world) => {
  const lists = new SharedLists(world.cluster.client);
  const leaving = new AbortController();
  const left = lists.list(POD, DEV, leaving.signal);
  const stayed = lists.list(POD, DEV, live().signal);
  leaving.abort();
  await rejectsWith(left, "CANCELLED", "ABORTED_BY_CALLER");
  assert.deepEqual(await stayed, []);
});

worldTest(
  "a list ends when its last caller is aborted, and is not given to others",
  async (world) => {
    const { client } = world.cluster;
    const list = client.list.bind(client);
    const seen: AbortSignal[] = [];
    client.list = (kind, selection, call) => {
      seen.push(call.signal);
      if (seen.length > 1) return list(kind, selection, call);
      return new Promise((_, reject) =>
        call.signal.addEventListener("abort", () => reject(new Error("aborted")))
      );
    };
    const lists = new SharedLists(client);
    const leaving = new AbortController();
    const left = lists.list(POD, DEV, leaving.signal);
    leaving.abort("enough");
    await assert.rejects(left, /aborted/);
    assert.equal(seen[0]?.reason, "enough");
    assert.deepEqual(await lists.list(POD, DEV, live().signal), []);
  },
);

worldTest("all callers of a list get its error, and the next one tries again", async (world) => {
  const lists = new SharedLists(world.cluster.client);
  world.cluster.client.fault = () =>
    new MpcError("UNAVAILABLE", { reason: "CLUSTER_UNREACHABLE", message: "connection refused" });
  const failed = [1, 2].map(() => lists.list(POD, DEV, live().signal));
  for (const list of failed) await rejectsWith(list, "UNAVAILABLE", "CLUSTER_UNREACHABLE");
  world.startServer();
  assert.deepEqual(await lists.list(POD, DEV, live().signal), []);
});
