import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { EventType, type WatchEventsResponse, WatchEventsResponseSchema } from "@mpc/proto";
import { broken, fakeTiming, scriptedServer, sent } from "@mpc/tests/fakes/scripted_server.ts";
import { watchEvents, type WatchRequest } from "./watch_events.ts";

const response = (init: MessageInitShape<typeof WatchEventsResponseSchema>): WatchEventsResponse =>
  create(WatchEventsResponseSchema, init);
const existing = (target: string) => response({ event: { type: EventType.EXISTING, target } });
const synced = (resumeToken: string) => response({ synced: true, resumeToken });
const event = (sequence: number) =>
  response({
    resumeToken: `t${sequence}`,
    event: { type: EventType.UPDATED, target: "environments/dev", sequence: BigInt(sequence) },
  });

/** Watches until the scripts end, and formats the updates. */
async function watch(
  scripts: readonly (readonly (WatchEventsResponse | ReturnType<typeof broken>)[])[],
  request: WatchRequest = {},
) {
  const timing = fakeTiming();
  const { connection, watches } = scriptedServer({ events: scripts });
  const updates: string[] = [];
  const watching = (async () => {
    for await (
      const { event, synced, resumeToken, reset } of watchEvents(connection, request, {
        timing,
        giveUpAfterMs: 1_000,
      })
    ) {
      if (reset) updates.push("reset");
      if (synced) updates.push(`synced ${resumeToken}`);
      if (event) updates.push(event.sequence ? `event ${event.sequence}` : event.target);
    }
  })();
  await assert.rejects(watching);
  const tokens = watches.map(({ resumeToken }) => resumeToken);
  return { updates, tokens: tokens.slice(0, scripts.length), pauses: timing.pauses };
}

Deno.test("watchEvents() resumes a broken stream after its last token", async () => {
  const { updates, tokens } = await watch([
    [existing("environments/dev"), synced("t5"), event(6), broken()],
    [broken()],
    [synced("t6"), event(7), event(9)],
    [event(10)],
  ]);
  assert.deepEqual(updates, [
    "environments/dev",
    "synced t5",
    "event 6",
    "synced t6",
    "event 7",
    "event 9",
    "event 10",
  ]);
  assert.deepEqual(tokens, ["", "t6", "t6", "t9"]);
});

Deno.test("watchEvents() drops events that a server repeats", async () => {
  const { updates } = await watch([[synced("t5"), event(6), broken()], [event(6), event(7)]]);
  assert.deepEqual(updates, ["synced t5", "event 6", "event 7"]);
});

for (const reason of ["EVENTS_COMPACTED", "EVENTS_UNKNOWN"]) {
  Deno.test(`watchEvents() resets when its token is ${reason}`, async () => {
    const { updates, tokens, pauses } = await watch([
      [synced("t50"), event(51), broken()],
      [sent(Code.OutOfRange, reason)],
      // A new log may begin with lower sequences.
      [existing("environments/new"), synced("t1"), event(2)],
    ]);
    const after = ["reset", "environments/new", "synced t1", "event 2"];
    assert.deepEqual(updates, ["synced t50", "event 51", ...after]);
    assert.deepEqual(tokens, ["", "t51", ""]);
    assert.equal(pauses[0], 200, "only the broken stream causes a pause");
  });
}

Deno.test("watchEvents() resets when the caller's token has expired", async () => {
  const expired = [sent(Code.OutOfRange, "EVENTS_COMPACTED")];
  const { updates, tokens } = await watch([expired, [synced("t9")]], { resumeToken: "t1" });
  assert.deepEqual(updates, ["reset", "synced t9"]);
  assert.deepEqual(tokens, ["t1", ""]);
});

Deno.test("watchEvents() resets when a stream breaks before its first token", async () => {
  const { updates, tokens } = await watch([
    [existing("environments/a"), broken()],
    [existing("environments/b"), synced("t3")],
  ]);
  assert.deepEqual(updates, ["environments/a", "reset", "environments/b", "synced t3"]);
  assert.deepEqual(tokens, ["", ""]);
});

Deno.test("watchEvents() reports an invalid request and an unreachable server at once", async () => {
  for (const error of [sent(Code.InvalidArgument, "INVALID_FIELDS"), broken()]) {
    const { updates, pauses } = await watch([[error], [synced("t1")]]);
    assert.deepEqual([updates, pauses], [[], []]);
  }
});

Deno.test("watchEvents() aborts its stream when the reader stops", async () => {
  const { connection, signals } = scriptedServer({ events: [[synced("t1"), event(2), event(3)]] });
  for await (const { event } of watchEvents(connection)) if (event) break;
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true]);
});
