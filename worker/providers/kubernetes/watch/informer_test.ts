import assert from "node:assert/strict";
import { FakeClock, settle } from "../../../../tests/fakes/fake_clock.ts";
import { FakeKubeClient } from "../../../../tests/fakes/kubernetes/fake_kube_client.ts";
import { SECRET } from "../client/kinds.ts";
import { ClusterWatch } from "./cluster_watch.ts";

Deno.test("a watch does not keep the data of Secrets, neither from its list nor from events", async () => {
  const client = new FakeKubeClient();
  const watch = new ClusterWatch(client, new FakeClock());
  const labels = { "app.kubernetes.io/managed-by": "mpc", "mpc/uid": "uid-web" };
  const add = (name: string) =>
    client.server.update(
      { ...SECRET, metadata: { name, labels }, data: { KEY: "aHVudGVyMg==" } },
      "mpc",
    );
  try {
    add("first");
    const informer = watch.informer(SECRET);
    await settle();
    add("later");
    await settle();
    const kept = informer.of("uid-web");
    assert.deepEqual(kept.map(({ metadata }) => metadata.name), ["first", "later"]);
    assert.doesNotMatch(JSON.stringify(kept), /aHVudGVyMg/);
  } finally {
    await client.close();
    await watch.close();
  }
});
