/** Logs that are followed while pods are created and deleted. */
import assert from "node:assert/strict";
import { anEnvironment, live, providerSuite, web } from "./provider_world.ts";

const test = providerSuite();

test("followed logs include the pods that a rollout creates", async (world) => {
  const { provider } = world;
  await anEnvironment(world, "followed");
  const deploy = async (image: string, revision: number) => {
    const intent = web("followed", { image }, { revision });
    await provider.applyWorkload(intent, live());
    await provider.awaitRollout(intent, live());
  };
  await deploy("nginx:1", 1);
  const [old] = await provider.pods("followed", "web", live());
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, live().signal]);
  const query = { signal, follow: true, tail: 1, since: null, replica: null };
  const heard = new Set<string>();
  for await (const { replica } of provider.logs("followed", "web", query)) {
    if (heard.size === 0) await deploy("nginx:2", 2);
    heard.add(replica);
    if (heard.size === 2) stop.abort();
  }
  const [first, second] = heard;
  assert.equal(first, old?.name);
  assert.match(second ?? "", /^web-/);
});
