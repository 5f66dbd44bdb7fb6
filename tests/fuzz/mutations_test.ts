/** Valid messages with some bytes changed, at both doors. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type DescMethod, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { arbitraryMessage } from "./arbitrary_message.ts";
import { METHODS } from "./methods.ts";
import { type Target, withTarget } from "./target.ts";

const SEED = 20_301_227;
const RUNS = 40;
const BATCH = 20;

/** Streams and waits without an end are left after this time. */
const DEADLINE_MS = 150;

/** Every other call is answered by then, however busy the machine is. */
const ANSWER_MS = 60_000;

/** If all messages were unreadable, the test would not reach the code after decoding. */
const LEAST_SHARE_ANSWERED = 0.02;

const mayWait = ({ methodKind, name }: DescMethod) =>
  methodKind !== "unary" || name === "WaitOperation";

const deadlineMsOf = (method: DescMethod) => mayWait(method) ? DEADLINE_MS : ANSWER_MS;

/** Codes that mean that the request was not handled. */
const FORBIDDEN = [status.UNKNOWN, status.INTERNAL, status.DATA_LOSS];

/** A way to change bytes; positions are taken modulo the length, so that they fit any message. */
const mutation = fc.record({
  how: fc.constantFrom("flip", "insert", "cut", "double", "stretch"),
  at: fc.nat(4_000),
  value: fc.nat(255),
});

function mutate(
  message: Uint8Array,
  { how, at, value }: { how: string; at: number; value: number },
): Uint8Array {
  const place = message.length === 0 ? 0 : at % message.length;
  const [head, tail] = [message.subarray(0, place), message.subarray(place)];
  switch (how) {
    case "flip": {
      const changed = message.slice();
      if (changed.length > 0) changed[place]! ^= 1 << (value % 8);
      return changed;
    }
    case "insert":
      return Uint8Array.of(...head, value, ...tail);
    case "cut":
      return Uint8Array.of(...head, ...tail.subarray(1 + value % 8));
    case "double":
      return Uint8Array.of(...head, ...tail, ...tail);
    default:
      // A length or varint that is longer than allowed.
      return Uint8Array.of(...head, ...new Uint8Array(11).fill(0x80 | value), ...tail);
  }
}

const attacksFor = ({ names }: Target) =>
  fc.array(
    fc.oneof(...METHODS.map((method) =>
      fc.record({
        method: fc.constant(method),
        body: fc.tuple(
          arbitraryMessage(method.input, names),
          fc.array(mutation, { minLength: 1, maxLength: 4 }),
        ).map(([message, mutations]) => mutations.reduce(mutate, toBinary(method.input, message))),
      })
    )),
    { minLength: BATCH, maxLength: BATCH },
  );

const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;

function attackGrpc(client: Client, method: DescMethod, body: Uint8Array): Promise<number> {
  const asIs = (bytes: Uint8Array) => Buffer.from(bytes);
  const options = { deadline: Date.now() + deadlineMsOf(method) };
  return new Promise((resolve) => {
    const told = (error: ServiceError | null) => resolve(error?.code ?? status.OK);
    if (method.methodKind === "unary") {
      client.makeUnaryRequest(pathOf(method), asIs, asIs, body, options, told);
      return;
    }
    const call = client.makeServerStreamRequest(pathOf(method), asIs, asIs, body, options);
    call.on("error", told);
    call.on("end", () => resolve(status.OK));
    call.resume();
  });
}

async function attackWeb(origin: string, method: DescMethod, body: Uint8Array): Promise<number> {
  const framed = new Uint8Array(5 + body.length);
  new DataView(framed.buffer).setUint32(1, body.length);
  framed.set(body, 5);
  const response = await fetch(`${origin}${pathOf(method)}`, {
    method: "POST",
    headers: {
      "content-type": "application/grpc-web+proto",
      "grpc-timeout": `${deadlineMsOf(method)}m`,
    },
    body: framed,
    signal: AbortSignal.timeout(2 * ANSWER_MS),
  });
  const text = await response.text();
  const told = response.headers.get("grpc-status") ?? /grpc-status: ?(\d+)/.exec(text)?.[1];
  assert.ok(told !== undefined, `a gRPC-Web answer ends with a status: ${response.status} ${text}`);
  return Number(told);
}

Deno.test({
  name: `${2 * RUNS * BATCH} messages with changed bytes are read or refused (seed ${SEED})`,
  // Connections that grpc-js keeps after a client is closed do not matter here.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withTarget(async (target) => {
      const client = new Client(target.platform.grpc.host, credentials.createInsecure());
      const doors = {
        "gRPC": (method: DescMethod, body: Uint8Array) => attackGrpc(client, method, body),
        "web": (method: DescMethod, body: Uint8Array) =>
          attackWeb(target.platform.web.origin, method, body),
      };
      await target.assertMemoryFlat(async () => {
        for (const [door, call] of Object.entries(doors)) {
          await t.step(door, async () => {
            let answered = 0;
            await fc.assert(
              fc.asyncProperty(attacksFor(target), async (attacks) => {
                await Promise.all(attacks.map(async ({ method, body }) => {
                  const code = await call(method, body);
                  if (code === status.OK) answered++;
                  assert.ok(
                    mayWait(method) || code !== status.DEADLINE_EXCEEDED,
                    `${method.name} does not wait, and is to be answered`,
                  );
                  assert.ok(
                    !FORBIDDEN.includes(code),
                    `bytes of the caller's are the caller's fault, not ${status[code]}: ` +
                      `${method.name} of ${Buffer.from(body).toString("base64")}`,
                  );
                }));
              }),
              { numRuns: RUNS, seed: SEED },
            );
            const share = answered / (RUNS * BATCH);
            assert.ok(share > LEAST_SHARE_ANSWERED, `only ${share} of the messages were answered`);
          });
        }
      });
      client.close();
      await target.assertWell();
    }),
});
