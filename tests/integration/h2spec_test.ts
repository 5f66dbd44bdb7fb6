/** HTTP/2 at the gRPC door, judged by a foreign tool: h2spec with its strict cases. */
import assert from "node:assert/strict";
import { startDeno } from "../servers/subprocess.ts";
import { h2spec } from "./h2spec.ts";

const CASES = 146;
/**
 * Cases that fail, and why. A bare grpc-js server on Node 20 fails all of them, and eight more that
 * the guard handles.
 */
const ACCEPTED: Readonly<Record<string, string>> = {
  "generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream":
    "it expects DATA; a request that is not gRPC is refused by HEADERS alone, with END_STREAM",
  "generic/2: Sends a PRIORITY frame on half-closed (remote) stream":
    "it expects DATA; a request that is not gRPC is refused by HEADERS alone, with END_STREAM",
  "http2/5.1.2: Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded":
    "its requests are not gRPC and are refused one by one, so there are never that many at once",
};

Deno.test("the gRPC door passes h2spec, except for cases that expect an HTTP response", async () => {
  const script = new URL("../servers/door_server.ts", import.meta.url).pathname;
  const server = startDeno(["run", "--allow-all", script]);
  try {
    const { pid, plain } = await server.line((line) =>
      line.startsWith("{") ? JSON.parse(line) : undefined
    );
    const { cases, failed } = await h2spec("127.0.0.1", plain);
    assert.equal(cases, CASES, "all cases ran");
    const unexpected = failed.filter(({ name }) => !(name in ACCEPTED));
    assert.deepEqual(unexpected, []);
    assert.ok((await Deno.stat(`/proc/${pid}`)).isDirectory, "it is still the same process");
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
});
