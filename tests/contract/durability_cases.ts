import assert from "node:assert/strict";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";
import { rejectsWith } from "../fakes/rejects.ts";
import type { StoreCase } from "./store_case.ts";

/** The state of a store that outlives its handles. */
export const DURABILITY_CASES: Readonly<Record<string, StoreCase>> = {
  "documents, request ids and events are still there after reopening": async (
    { store, openAgain },
  ) => {
    await store.environments.create(anEnvironment("dev"), { events: [anEvent("1")] });
    await store.operations.create(anOperation("a", { requestId: "r1" }));
    await store.events.append([anEvent("2")]);
    const events = await store.events.read(0, 10);
    await store.close();
    const again = await openAgain();
    assert.equal((await again.environments.get("environments/dev"))?.version, 1);
    assert.equal((await again.operations.findByRequestId("ann", "r1"))?.value.name, "operations/a");
    assert.deepEqual(await again.events.read(0, 10), events);
  },
  "removed events stay removed after reopening, and sequences keep increasing": async (harness) => {
    const { store } = harness;
    await store.events.append([1, 2].map((time) => anEvent("old", { time })));
    const head = await store.events.head();
    await store.events.compactBefore(3);
    await store.close();
    const again = await harness.openAgain();
    assert.equal(await again.events.head(), head);
    await rejectsWith(again.events.read(0, 1), "OUT_OF_RANGE", "EVENTS_COMPACTED");
    await again.events.append([anEvent("new")]);
    const [next] = await again.events.read(head, 10);
    assert.ok(next && next.sequence > head, "no sequence is used twice");
  },
};
