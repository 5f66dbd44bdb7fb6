import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import {
  EnvironmentState,
  ListEnvironmentsResponseSchema,
  ListOperationsResponseSchema,
  OperationState,
} from "@mpc/proto";
import { away, failing, uiTest } from "./ui_world.ts";

uiTest("the overview says how to begin while nothing exists", async (world) => {
  const { status, text } = await world.page("/");
  assert.equal(status, 200);
  assert.match(text, /There are no environments yet/);
  assert.match(text, /mpctl env create/);
  assert.match(text, /Nothing is running/);
});

uiTest(
  "the overview counts by state, and shows what failed and what expires soon",
  async (world) => {
    await world.createEnvironment("dev", { ttl: { seconds: 3_600n } });
    await world.createEnvironment("staging");
    await world.deploy("dev", "web");
    await world.deploy("dev", "broken", { image: "nginx:missing" });
    const { text, document } = await world.page("/");
    assert.match(text, /Environments2 ?2 ready/);
    assert.match(text, /Workloads2 ?(?:1 ready ?1 deploy failed|1 deploy failed ?1 ready)/);
    assert.match(text, /Failed in the last day1of 4 operations/);
    assert.match(
      document.getElementById("failed-region")?.textContent ?? text,
      /IMAGE_PULL_FAILED/,
    );
    assert.ok(document.getElementById("expiring-environments/dev"));
    assert.equal(document.getElementById("expiring-environments/staging"), null);
    assert.match(document.title, /^✕ Overview/);
  },
);

uiTest("the overview puts stalled operations first", async (world) => {
  const name = "operations/0b0a1f3e-7f6e-4a7e-9d53-0c8f2f1f0a01";
  world.answer = (method, request) => {
    const { filter = "" } = request as { filter?: string };
    if (method.name !== "ListOperations" || !filter.includes("stalled")) return undefined;
    return create(ListOperationsResponseSchema, {
      operations: [{
        name,
        kind: "environment.delete",
        target: "environments/dev",
        state: OperationState.NEEDS_ATTENTION,
      }],
    });
  };
  const { document, text } = await world.page("/");
  assert.ok(document.getElementById(`stalled-${name}`));
  assert.match(text, /1 stalled/);
});

uiTest("the overview counts as far as one page, and says that there is more", async (world) => {
  world.answer = ({ name }) =>
    name !== "ListEnvironments" ? undefined : create(ListEnvironmentsResponseSchema, {
      environments: Array.from({ length: 1_000 }, (_, index) => ({
        name: `environments/e${index}`,
        state: EnvironmentState.READY,
      })),
      nextPageToken: "more",
    });
  const { text } = await world.page("/");
  assert.match(text, /Environments1000\+/);
});

uiTest("the overview shows what failed in the place of what could not be read", async (world) => {
  world.answer = failing(away());
  const { status, text } = await world.page("/");
  assert.equal(status, 200);
  assert.match(text, /the server cannot be reached/);
  assert.match(text, /cannot be read now/);
});
