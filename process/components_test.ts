import assert from "node:assert/strict";
import { MpcError } from "@mpc/domain";
import { Components } from "./components.ts";

Deno.test("components are closed in the reverse of the order in which they started", async () => {
  const closed: string[] = [];
  const components = new Components();
  for (const name of ["store", "engine", "doors"]) {
    components.add({
      name,
      close() {
        closed.push(name);
        return Promise.resolve();
      },
    });
  }
  await components[Symbol.asyncDispose]();
  assert.deepEqual(closed, ["doors", "engine", "store"]);
});

Deno.test("a component that fails to close does not keep the others from closing", async () => {
  let closed = false;
  const components = new Components();
  components.add({
    name: "store",
    close() {
      closed = true;
      return Promise.resolve();
    },
  });
  components.add({ name: "engine", close: () => Promise.reject(new Error("it is stuck")) });
  await assert.rejects(components[Symbol.asyncDispose](), /it is stuck/);
  assert.ok(closed);
});

Deno.test("/readyz names the components that are not ready, with the reason", async () => {
  const components = new Components();
  const error = new MpcError("UNAVAILABLE", {
    reason: "ENGINE_UNREACHABLE",
    message: "Cannot reach Temporal",
  });
  components.add({ name: "store", assertReady: () => Promise.resolve() });
  components.add({ name: "engine", assertReady: () => Promise.reject(error) });
  components.add({ name: "dispatcher" });
  const response = await components.readyResponse();
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), {
    ready: false,
    checks: [
      { name: "store", ready: true },
      {
        name: "engine",
        ready: false,
        reason: "ENGINE_UNREACHABLE",
        message: "Cannot reach Temporal",
      },
    ],
  });
});
