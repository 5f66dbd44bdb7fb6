/** Deeply nested documents are refused wherever clients send some, and the server goes on. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { type AllInOne, startAllInOne } from "@mpc/api";
import { enveloped } from "../../api/web/envelope.ts";
import { parseAccessFile } from "../../access/access_file.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";

/** Deep enough to exhaust the stack of a parser that calls itself, within the limits on sizes. */
const DEPTH = 50_000;

const DEPLOY = "/mpc.v1.WorkloadService/DeployWorkload";

/** A number in base 128 (Protocol Buffers, "Encoding"). */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

/** Content in a field, in another field and so on, the innermost field first. */
function enclosed(content: Buffer, fields: readonly number[]): Buffer {
  const parts = [content];
  let length = content.length;
  for (const field of fields) {
    const head = Buffer.concat([varint(field * 8 + 2), varint(length)]);
    parts.push(head);
    length += head.length;
  }
  return Buffer.concat(parts.reverse());
}

/** Lists in lists: `list_value` of a `google.protobuf.Value`, and its `values`. */
const LISTS = enclosed(
  Buffer.alloc(0),
  Array.from({ length: 2 * DEPTH }, (_, index) => index % 2 === 0 ? 6 : 1).concat(6),
);

/** An entry of a map, in the `values` of the `chart` of the `spec` of the `workload`. */
const NESTED_VALUES = enclosed(
  Buffer.concat([enclosed(Buffer.from("a"), [1]), enclosed(LISTS, [2])]),
  [1, 3, 15, 14, 3],
);

/** Groups in groups, of a field that no message has. */
const groups = (type: number) => Buffer.alloc(2 * DEPTH, varint(1_000 * 8 + type));

const BINARY: readonly (readonly [string, Buffer])[] = [
  ["lists in the values of a chart", NESTED_VALUES],
  ["groups of an unknown field", Buffer.concat([groups(3), groups(4)])],
];

const arrays = "[".repeat(DEPTH) + "]".repeat(DEPTH);
const objects = '{"a":'.repeat(DEPTH) + "0" + "}".repeat(DEPTH);
const valuesOf = (json: string) => `{"workload":{"spec":{"chart":{"values":{"a":${json}}}}}}`;

const JSON_TEXTS: readonly (readonly [string, string])[] = [
  ["arrays in the values of a chart", valuesOf(arrays)],
  ["objects in the values of a chart", valuesOf(objects)],
  ["arrays alone", arrays],
  ["an unknown field", `{"unknown":${objects}}`],
];

/** Filters (AIP-160) in a filter, and negations of negations. */
const FILTERS: readonly (readonly [string, string])[] = [
  ["parentheses", `${"(".repeat(500)}state = "READY"${")".repeat(500)}`],
  ["negations", `${"NOT ".repeat(300)}state = "READY"`],
];

function test(title: string, use: (platform: AllInOne) => Promise<void>): void {
  Deno.test({
    name: `nesting: ${title}`,
    ...NO_SANITIZERS,
    async fn() {
      const platform = await startAllInOne(QUIET_CONFIG);
      try {
        await use(platform);
      } finally {
        await platform.close();
      }
    },
  });
}

async function sendJson({ webAddress }: AllInOne, path: string, body: string) {
  const response = await fetch(`http://127.0.0.1:${webAddress.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const { code, message } = await response.json();
  return { code: String(code), message: String(message) };
}

/** @returns the status of a gRPC-Web call with a message of these bytes */
async function sendGrpcWeb({ webAddress }: AllInOne, bytes: Buffer): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${webAddress.port}${DEPLOY}`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto" },
    body: new Uint8Array(enveloped(0, bytes)),
  });
  const trailer = /grpc-status: ?(\d+)/.exec(await response.text());
  return Number(trailer?.[1] ?? response.headers.get("grpc-status"));
}

/** @returns the status of a gRPC call with a message of these bytes */
async function sendGrpc({ grpcAddress }: AllInOne, bytes: Buffer): Promise<number> {
  const client = new Client(`127.0.0.1:${grpcAddress.port}`, credentials.createInsecure());
  try {
    return await new Promise((resolve) =>
      client.makeUnaryRequest(
        DEPLOY,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        bytes,
        { deadline: Date.now() + 60_000 },
        (error: ServiceError | null) => resolve(error?.code ?? status.OK),
      )
    );
  } finally {
    client.close();
  }
}

for (const [title, bytes] of BINARY) {
  test(`gRPC and gRPC-Web refuse ${title}`, async (platform) => {
    assert.ok(bytes.length < 4 * 1024 * 1024, "within the limit on messages");
    assert.equal(await sendGrpc(platform, bytes), status.INVALID_ARGUMENT);
    assert.equal(await sendGrpcWeb(platform, bytes), status.INVALID_ARGUMENT);
  });
}

for (const [title, text] of JSON_TEXTS) {
  test(`JSON is refused with ${title}`, async (platform) => {
    const { code, message } = await sendJson(platform, DEPLOY, text);
    assert.equal(code, "invalid_argument", message);
    assert.ok(message.length < 1_000, "the document is not repeated");
  });
}

for (const [title, filter] of FILTERS) {
  test(`a filter is refused with ${title}`, async (platform) => {
    const path = "/mpc.v1.EnvironmentService/ListEnvironments";
    const { code, message } = await sendJson(platform, path, JSON.stringify({ filter }));
    assert.equal(code, "invalid_argument", message);
    assert.match(message, /more than 20 levels|longer|at most/);
  });
}

Deno.test("nesting: an access file that is nested deeply or is a bomb of aliases is refused", () => {
  const aliases = Array.from(
    { length: 10 },
    (_, level) => `a${level + 1}: &a${level + 1} [${Array(10).fill(`*a${level}`).join(", ")}]`,
  );
  const deep = 2_000;
  for (
    const text of ["[".repeat(deep), "{a: ".repeat(deep), `a0: &a0 x\n${aliases.join("\n")}\n`]
  ) {
    assert.throws(() => parseAccessFile("access.yaml", text), { reason: "ACCESS_FILE_INVALID" });
  }
});
