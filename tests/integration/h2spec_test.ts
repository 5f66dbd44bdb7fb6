/** HTTP/2 at both doors, by a judge that is not ours: h2spec, its strict cases too. */
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

/** A bare grpc-js server closes such a connection, too; here HTTP/1.1 is served at the same port. */
const ACCEPTED_AT_WEB_DOOR: Readonly<Record<string, string>> = {
  "http2/3.5: Sends invalid connection preface":
    "what is no preface is a request of HTTP/1.1, and answered as a bad one",
};

/**
 * How often a door is judged until it passes. An answer that leaves before the frame in error has
 * arrived ends its stream, and then that frame may be ignored (RFC 9113, section 5.1). The web door's
 * requests name what is answered late; on a busy machine the gRPC door is the faster one now and then.
 */
const TRIES = 3;

const DOORS = [
  ["gRPC", "plain", "/", ACCEPTED],
  ["web", "web", "/readyz", ACCEPTED_AT_WEB_DOOR],
] as const;

for (const [door, port, path, accepted] of DOORS) {
  Deno.test(`the ${door} door passes h2spec, but for cases that want an HTTP answer`, async () => {
    const script = new URL("../servers/door_server.ts", import.meta.url).pathname;
    const server = startDeno(["run", "--allow-all", "--unstable-no-legacy-abort", script]);
    try {
      const { pid, [port]: listening } = await server.line((line) =>
        line.startsWith("{") ? JSON.parse(line) : undefined
      );
      let unmet: readonly unknown[] = [];
      for (let tries = 0; tries < TRIES; tries++) {
        const { cases, failed } = await h2spec("127.0.0.1", listening, path);
        assert.equal(cases, CASES, "all cases ran");
        unmet = failed.filter(({ name }) => !(name in accepted));
        if (unmet.length === 0) break;
      }
      assert.deepEqual(unmet, []);
      assert.ok((await Deno.stat(`/proc/${pid}`)).isDirectory, "it is the same process");
    } finally {
      server.kill("SIGKILL");
      await server.status;
    }
  });
}
