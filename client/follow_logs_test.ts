import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { type StreamLogsResponse, StreamLogsResponseSchema } from "@mpc/proto";
import { broken, fakeTiming, scriptedServer, sent } from "@mpc/tests/fakes/scripted_server.ts";
import { followLogs } from "./follow_logs.ts";

const line = (replica: string, ms: number, text: string): StreamLogsResponse =>
  create(StreamLogsResponseSchema, { replica, time: timestampFromMs(ms), text });

async function follow(
  scripts: readonly (readonly (StreamLogsResponse | ConnectError)[])[],
  request = {},
) {
  const { connection, logRequests } = scriptedServer({ logs: scripts });
  const texts: string[] = [];
  const options = { timing: fakeTiming(), giveUpAfterMs: 1_000 };
  let error: unknown;
  try {
    for await (
      const { replica, text } of followLogs(connection, { name: "w", ...request }, options)
    ) {
      texts.push(`${replica} ${text}`);
    }
  } catch (thrown) {
    error = thrown;
  }
  const requests = logRequests.map(({ tail, since }) => [tail, since && timestampMs(since)]);
  return { texts, requests, error };
}

Deno.test("followLogs() continues a broken stream without gaps or repetitions", async () => {
  const { texts, requests, error } = await follow([
    [line("a", 10, "one"), line("b", 20, "x"), line("b", 20, "x"), line("b", 20, "y"), broken()],
    [broken()],
    // The copy `a` is quieter: what `b` printed since is sent again.
    [
      line("a", 10, "one"),
      line("b", 15, "older"),
      line("b", 20, "x"),
      line("b", 20, "x"),
      line("b", 20, "y"),
      line("b", 20, "x"),
      line("a", 30, "two"),
      broken(),
    ],
    [line("b", 20, "x"), line("a", 30, "two"), line("c", 5, "new copy")],
  ], { tail: 3 });
  assert.deepEqual(texts, ["a one", "b x", "b x", "b y", "b x", "a two", "c new copy"]);
  assert.deepEqual(requests, [[3, undefined], [0, 9], [0, 9], [0, 19]]);
  assert.equal(error, undefined, "a log that ends is not begun again");
});

Deno.test("followLogs() repeats the request if no line has arrived", async () => {
  const { texts, requests } = await follow([[broken()], [line("a", 1, "one")]], { tail: 3 });
  assert.deepEqual(texts, ["a one"]);
  assert.deepEqual(requests, [[3, undefined], [3, undefined]]);
});

Deno.test("followLogs() reports what the API rejects", async () => {
  const { error } = await follow([[sent(Code.NotFound, "WORKLOAD_NOT_FOUND")]]);
  assert.equal(ConnectError.from(error).code, Code.NotFound);
});
