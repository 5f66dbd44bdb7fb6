import assert from "node:assert/strict";
import { EventType } from "@mpc/proto";
import { anEvent } from "../../tests/fakes/documents.ts";
import { toWatchResponse } from "./event_mapping.ts";

Deno.test("every watcher of an event receives the same message, which is created once", () => {
  const told = (sequence: number) => {
    const event = { ...anEvent("ready"), sequence };
    const watched = { type: "event", event, token: `t${sequence}` } as const;
    return [toWatchResponse(watched), toWatchResponse({ ...watched })] as const;
  };
  const [first, again] = told(7);
  assert.equal(again, first);
  assert.equal(first.resumeToken, "t7");
  assert.deepEqual([first.event?.sequence, first.event?.message], [7n, "ready"]);
  assert.notEqual(first.event?.type, EventType.EXISTING);
  const [other] = told(8);
  assert.deepEqual([other.resumeToken, other.event?.sequence], ["t8", 8n]);
});
