/** Bodies with invalid framing or encoding, at the web door, in each of its protocols. */
import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { type Target, withTarget } from "./target.ts";

const UNARY = "/mpc.v1.EnvironmentService/ListEnvironments";
const STREAM = "/mpc.v1.EventService/WatchEvents";
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

const TYPES = [
  ...["application/proto", "application/json", "application/connect+proto"],
  ...["application/connect+json", "application/grpc-web+proto", "application/grpc-web+json"],
  ...["application/grpc+proto"],
];
const ENCODINGS = ["", "identity", "gzip", "br", "nope"];

const TIMEOUTS = { "grpc-timeout": "100m", "connect-timeout-ms": "100" };

/** Not a message, neither as protobuf nor as JSON. */
const NONE = Uint8Array.of(0xff, 0xff, 1, 2);

const message = (flags: number, payload: Uint8Array, length = payload.length): Uint8Array =>
  Uint8Array.of(flags, length >>> 24, length >>> 16, length >>> 8, length, ...payload);

const BODIES: Readonly<Record<string, Uint8Array>> = {
  "nothing": new Uint8Array(),
  "bytes that are not a message": message(0, NONE),
  "a compressed flag": message(1, NONE),
  "an unknown flag": message(0x40, NONE),
  "an end of stream instead of a message": message(2, NONE),
  "less than the length says": message(0, NONE, 9),
  "half a frame's head": Uint8Array.of(0, 0),
  "a length of 4 GB": message(0, NONE, 2 ** 32 - 1),
};

/** @returns what is wrong with the response; undefined for a proper error */
async function fault(
  { platform }: Target,
  path: string,
  type: string,
  encoding: string,
  body: Uint8Array,
  timeouts: Readonly<Record<string, string>> = TIMEOUTS,
): Promise<string | undefined> {
  const bare = type === "application/proto" || type === "application/json";
  const response = await fetch(`${platform.web.origin}${path}`, {
    method: "POST",
    headers: {
      "content-type": type,
      ...timeouts,
      ...(encoding && {
        "content-encoding": encoding,
        "grpc-encoding": encoding,
        "connect-content-encoding": encoding,
      }),
    },
    body: bare ? body.slice(5) : body.slice(),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  const told = `HTTP ${response.status} ${JSON.stringify(text.slice(0, 160))}`;
  const grpc = Number(
    response.headers.get("grpc-status") ?? /grpc-status: ?(\d+)/.exec(text)?.[1] ?? 0,
  );
  if (grpc === Code.Internal || grpc === Code.Unknown) return told;
  if (/"code":"(internal|unknown)"/.test(text)) return told;
  const refused = grpc !== 0 && grpc !== Code.DeadlineExceeded ||
    /"code":"(?!deadline_exceeded)/.test(text);
  // Programs act on it: the type's name is in the details, in base64 if they are binary.
  const details = response.headers.get("grpc-status-details-bin") ?? text;
  if (refused && details === text && !/ErrorInfo|details-bin/.test(text)) {
    return `no ErrorInfo: ${told}`;
  }
  return response.status >= 500 && response.status !== 501 ? told : undefined;
}

for (const path of [UNARY, STREAM, REFLECTION]) {
  Deno.test({
    name:
      `bodies with invalid framing are rejected with the proper error, at the web door: ${path}`,
    // Clients keep connections in their own pools.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: (t) =>
      withTarget(async (target) => {
        for (const [what, body] of Object.entries(BODIES)) {
          await t.step(what, async () => {
            const faults: string[] = [];
            for (const type of TYPES) {
              for (const encoding of ENCODINGS) {
                const told = await fault(target, path, type, encoding, body);
                if (told) faults.push(`${type}, encoding '${encoding}': ${told}`);
              }
            }
            assert.deepEqual(faults, [], "what the caller did wrong is not the server's fault");
          });
        }
        await target.assertWell();
      }),
  });
}

Deno.test({
  name: "invalid timeouts are rejected with the proper error, at the web door",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withTarget(async (target) => {
      const faults: string[] = [];
      for (const timeout of ["x", "-1S", "1.5", "99999999999999S", ""]) {
        const timeouts = { "grpc-timeout": timeout, "connect-timeout-ms": timeout };
        for (const path of [UNARY, STREAM, REFLECTION]) {
          for (const type of TYPES) {
            const told = await fault(target, path, type, "", message(0, NONE), timeouts);
            if (told) faults.push(`${path}, ${type}, '${timeout}': ${told}`);
          }
        }
      }
      assert.deepEqual(faults, [], "what the caller did wrong is not the server's fault");
    }),
});

Deno.test({
  name: "an unknown path gets an ErrorInfo, at the web door",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withTarget(async ({ platform, assertWell }) => {
      for (const path of ["/", "/mpc.v1.EnvironmentService/Nope", "/%00/../'", "//", "/healthz/"]) {
        const response = await fetch(`${platform.web.origin}${path}`, {
          method: "POST",
          body: "x",
        });
        const { code, details: [info] } = await response.json();
        assert.deepEqual([response.status, code, info.debug.reason], [
          404,
          "unimplemented",
          "UNKNOWN_METHOD",
        ]);
      }
      await assertWell();
    }),
});
