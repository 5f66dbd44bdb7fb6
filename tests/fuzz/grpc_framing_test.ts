/** Calls with invalid framing, headers or verb, at the gRPC door. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { ErrorInfoSchema, StatusSchema } from "@mpc/proto";
import { type Target, withTarget } from "./target.ts";

const UNARY = "/mpc.v1.EnvironmentService/ListEnvironments";
const STREAM = "/mpc.v1.WorkloadService/StreamLogs";
const ANSWER_MS = 5_000;
const DETAILS = "grpc-status-details-bin";

/** Statuses without an explanation; a path without a method is answered before there is a call. */
const UNEXPLAINED: ReadonlySet<number> = new Set([status.OK, status.DEADLINE_EXCEEDED]);

interface BrokenCall {
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const message = (flags: number, payload: number[] = [], length = payload.length): Uint8Array =>
  Uint8Array.of(flags, length >>> 24, length >>> 16, length >>> 8, length, ...payload);

const EMPTY = message(0);
const LIES: Readonly<Record<string, BrokenCall>> = {
  "no message": {},
  "half a frame's head": { body: Uint8Array.of(0, 0, 0) },
  "less than the length says": { body: message(0, [1], 9) },
  "more than the length says": { body: Uint8Array.of(...EMPTY, 7) },
  "two messages instead of one": { body: Uint8Array.of(...EMPTY, ...EMPTY) },
  "a length of 4 GB": { body: message(0, [7], 2 ** 32 - 1) },
  "an invalid message": { body: message(0, [0xff, 0xff]) },
  "an unknown flag": { body: message(0x80) },
  "a compressed flag and no encoding": { body: message(1, [1, 2, 3]) },
  "an unknown encoding": {
    body: message(1, [1, 2, 3]),
    headers: { "grpc-encoding": "nope" },
  },
  "invalid gzip": { body: message(1, [1, 2, 3]), headers: { "grpc-encoding": "gzip" } },
  "invalid deflate": { body: message(1, [1, 2, 3]), headers: { "grpc-encoding": "deflate" } },
  "an invalid timeout": { body: EMPTY, headers: { "grpc-timeout": "x" } },
  "a negative timeout": { body: EMPTY, headers: { "grpc-timeout": "-1S" } },
  "a timeout of 11,000 years": { body: EMPTY, headers: { "grpc-timeout": "99999999H" } },
  "an invalid binary header": { body: EMPTY, headers: { "x-bin": "!!!!" } },
  "another content type": { body: EMPTY, headers: { "content-type": "application/json" } },
  "a GET": { headers: { ":method": "GET" } },
  "a PUT": { body: EMPTY, headers: { ":method": "PUT" } },
  "an unknown path": { body: EMPTY, headers: { ":path": "/../%00/'" } },
};

interface Answer {
  readonly http: number;
  /** gRPC's status, if there was one. */
  readonly grpc: number | undefined;
  /** The reason in the ErrorInfo. */
  readonly reason: string | undefined;
}

function call({ platform }: Target, path: string, { body, headers }: BrokenCall): Promise<Answer> {
  // A separate session for each call, so that a broken one does not affect the next call.
  const session = connect(`http://${platform.grpc.host}`);
  return new Promise<Answer>((resolve, reject) => {
    session.on("error", reject);
    const request = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      "te": "trailers",
      ...headers,
    });
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${ANSWER_MS} ms: a call that is wrong is to end`)),
      ANSWER_MS,
    );
    let http = 0;
    let grpc: number | undefined;
    let reason: string | undefined;
    const note = (told: Record<string, unknown>) => {
      if (told[":status"] !== undefined) http = Number(told[":status"]);
      if (told["grpc-status"] !== undefined) grpc = Number(told["grpc-status"]);
      if (told[DETAILS] !== undefined) reason = reasonIn(String(told[DETAILS]));
    };
    request.on("response", note);
    request.on("trailers", note);
    request.on("error", reject);
    request.on("close", () => {
      clearTimeout(timer);
      resolve({ http, grpc, reason });
    });
    request.resume();
    request.end(body);
  }).finally(() => session.destroy());
}

function reasonIn(details: string): string | undefined {
  const { details: [packed] } = fromBinary(StatusSchema, Buffer.from(details, "base64"));
  return packed && anyUnpack(packed, ErrorInfoSchema)?.reason;
}

Deno.test({
  name: "calls with invalid framing are rejected with the proper error, at the gRPC door",
  // What node:http2 keeps after a session is destroyed does not matter here.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withTarget(async (target) => {
      for (const path of [UNARY, STREAM]) {
        for (const [what, broken] of Object.entries(LIES)) {
          await t.step(`${what}, ${path === UNARY ? "one answer" : "a stream"}`, async () => {
            const { http, grpc, reason } = await call(target, path, broken);
            const told = `HTTP ${http}, gRPC ${grpc === undefined ? "none" : status[grpc]}`;
            assert.ok(
              grpc !== status.INTERNAL && grpc !== status.UNKNOWN,
              `what the caller did wrong is not the server's fault: ${told}`,
            );
            assert.ok(
              grpc !== undefined || http >= 400,
              `a client takes HTTP 200 without a status for UNKNOWN: ${told}`,
            );
            if (grpc === undefined || UNEXPLAINED.has(grpc) || broken.headers?.[":path"]) return;
            assert.match(reason ?? "", /^[A-Z_]+$/, `programs act on the ErrorInfo: ${told}`);
          });
        }
      }
      await target.assertWell();
    }),
});
