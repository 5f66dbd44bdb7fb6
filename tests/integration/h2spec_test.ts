/** HTTP/2 at the gRPC door, by a judge that is not ours: h2spec, its strict cases too. */
import assert from "node:assert/strict";
import { startDeno } from "../servers/subprocess.ts";
import { h2spec } from "./h2spec.ts";

const CASES = 146;
/**
 * Cases that are not met, and why. A bare grpc-js server on Node 20 fails all of them, and eight
 * more that the guard answers.
 */
const ACCEPTED: Readonly<Record<string, string>> = {
  "generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream":
    "it wants DATA; what is no gRPC is refused by HEADERS alone, with END_STREAM",
  "generic/2: Sends a PRIORITY frame on half-closed (remote) stream":
    "it wants DATA; what is no gRPC is refused by HEADERS alone, with END_STREAM",
  "http2/5.1.2: Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded":
    "its requests are no gRPC and are refused one by one, so there are never so many at once",
};

Deno.test("the gRPC door passes h2spec, but for cases that want an HTTP answer", async () => {
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
    assert.ok((await Deno.stat(`/proc/${pid}`)).isDirectory, "it is the same process");
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
});
