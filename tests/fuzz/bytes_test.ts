/** Random bytes as requests, at both doors. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { EnvironmentService, OperationService, WorkloadService } from "@mpc/proto";
import fc from "fast-check";
import { type Target, withTarget } from "./target.ts";

const SEED = 20_301_225;
const RUNS = 400;

const PATHS = [EnvironmentService, WorkloadService, OperationService].flatMap((service) =>
  service.methods.map(({ name }) => `/${service.typeName}/${name}`)
);

const bytes = fc.uint8Array({ maxLength: 300 });

/** A gRPC message: flags, length, payload; the length is sometimes wrong. */
const framed = fc.record({
  flags: fc.constantFrom(0, 0, 0, 1, 2, 0x80, 255),
  lie: fc.constantFrom(0, 0, 0, 1, -1, 2 ** 31),
  bytes,
})
  .map(({ flags, lie, bytes }) => {
    const frame = new Uint8Array(5 + bytes.length);
    frame[0] = flags;
    new DataView(frame.buffer).setUint32(1, bytes.length + lie);
    frame.set(bytes, 5);
    return frame;
  });

const CONTENT_TYPES = [
  ...["application/grpc-web+proto", "application/grpc-web", "application/grpc-web-text"],
  ...[
    "application/json",
    "application/proto",
    "application/connect+json",
    "application/connect+proto",
  ],
  ...["application/grpc", "text/plain", "", "\u00e9"],
];

async function attackWeb({ platform }: Target): Promise<void> {
  const request = fc.record({
    path: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...PATHS) }, fc.webPath()),
    method: fc.oneof(
      { weight: 9, arbitrary: fc.constant("POST") },
      fc.constantFrom("GET", "PUT", "OPTIONS", "DELETE"),
    ),
    contentType: fc.constantFrom(...CONTENT_TYPES),
    body: fc.oneof(bytes, framed, fc.json().map((text) => new TextEncoder().encode(text))),
    timeout: fc.constantFrom("", "100m", "-1S", "99999999999S", "x"),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ path, method, contentType, body, timeout }) => {
      const hasBody = !["GET", "HEAD"].includes(method);
      const response = await fetch(`${platform.web.origin}${path}`, {
        method,
        headers: {
          ...(contentType && { "content-type": contentType }),
          ...(timeout && { "grpc-timeout": timeout }),
        },
        ...(hasBody && { body: new Uint8Array(body) }),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      const told = `${method} ${path} as '${contentType}': ${response.status} ${text}`;
      assert.ok(response.status < 500 || response.status === 501, told);
      assert.doesNotMatch(text, /"code":"(internal|unknown)"/, told);
      const grpcStatus = response.headers.get("grpc-status") ??
        /grpc-status: ?(\d+)/.exec(text)?.[1] ?? "0";
      assert.ok(!["2", "13"].includes(grpcStatus), told);
    }),
    { numRuns: RUNS, seed: SEED },
  );
}

async function attackGrpc({ platform }: Target): Promise<void> {
  const client = new Client(platform.grpc.host, credentials.createInsecure());
  const call = (path: string, body: Uint8Array) =>
    new Promise<ServiceError | null>((resolve) =>
      client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        body,
        { deadline: Date.now() + 10_000 },
        (error) => resolve(error),
      )
    );
  const path = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...PATHS) },
    fc.constantFrom("/", "/x", "/mpc.v1.EnvironmentService/Nope", "/mpc.v1.Nope/Get"),
  );
  await fc.assert(
    fc.asyncProperty(path, bytes, async (path, body) => {
      const error = await call(path, body);
      const code = error?.code ?? status.OK;
      assert.ok(
        code !== status.INTERNAL && code !== status.UNKNOWN,
        `nobody planned for ${body} at ${path}: ${error?.message}`,
      );
    }),
    { numRuns: RUNS, seed: SEED },
  );
  client.close();
}

Deno.test({
  name: "random bytes are rejected with the proper error, at both doors",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: (t) =>
    withTarget(async (target) => {
      await t.step("web", () => attackWeb(target));
      await t.step("gRPC", () => attackGrpc(target));
      await target.assertWell();
    }),
});
