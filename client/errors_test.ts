import assert from "node:assert/strict";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  EnvironmentService,
  ErrorAdviceSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@mpc/proto";
import { connect } from "./connect.ts";
import { type FailureOrigin, isNotFound, readFailure, unlessNotFound } from "./errors.ts";

const ofApi = (code: Code, message: string, reason: string): ConnectError =>
  new ConnectError(message, code, undefined, [{
    desc: ErrorInfoSchema,
    value: {
      reason,
      domain: "mini-platform-control-plane",
      metadata: { resource: "environments/dev" },
    },
  }]);

Deno.test("readFailure() reads code, reason, metadata, advice, violations and delay of the API's errors", () => {
  const error = ofApi(Code.InvalidArgument, "Cannot do it", "INVALID_FIELDS");
  const violation = { field: "image", description: "must be set" };
  error.details.push(
    { desc: ErrorAdviceSchema, value: { responsible: "caller", nextStep: "Set the image" } },
    { desc: BadRequestSchema, value: { fieldViolations: [violation] } },
    { desc: RetryInfoSchema, value: { retryDelay: { seconds: 2n, nanos: 5e8 } } },
  );
  assert.deepEqual(readFailure(error), {
    origin: "api",
    code: Code.InvalidArgument,
    message: "Cannot do it",
    reason: "INVALID_FIELDS",
    metadata: { resource: "environments/dev" },
    violations: [violation],
    nextStep: "Set the image",
    retryAfterMs: 2_500,
  });
});

Deno.test("readFailure() recognizes an error of the API whatever its text is", () => {
  for (const text of ["connection refused", "ECONNRESET", "fetch failed", "dns error"]) {
    const error = ofApi(
      Code.Unavailable,
      `Cannot reach the cluster: ${text}`,
      "CLUSTER_UNREACHABLE",
    );
    assert.equal(readFailure(error).origin, "api", text);
  }
});

Deno.test("readFailure() ignores the text of errors that something other than the API sent", () => {
  const sent = new ConnectError("upstream: connection refused", Code.Unavailable);
  assert.equal(readFailure(sent).origin, "unavailable");
  const limited = new ConnectError("fetch failed", Code.ResourceExhausted);
  assert.equal(readFailure(limited).origin, "other");
});

Deno.test("unlessNotFound() is undefined for a missing resource, and only for that", async () => {
  const missing = ofApi(Code.NotFound, "no such environment", "ENVIRONMENT_NOT_FOUND");
  assert.equal(await unlessNotFound(() => Promise.reject(missing)), undefined);
  assert.equal(await unlessNotFound(() => Promise.resolve(1)), 1);
  const page = new ConnectError("HTTP 404", Code.NotFound);
  await assert.rejects(unlessNotFound(() => Promise.reject(page)), page);
  assert.equal(isNotFound(new Error("not found")), false);
});

const http = (answer: RequestListener): Server => createHttpServer(answer);
const tcp = (serve: (socket: Socket) => void): Server =>
  createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });

const SERVERS: readonly (readonly [string, () => Server, FailureOrigin, FailureOrigin])[] = [
  ["a web page", () => http((_, response) => response.end("<html>")), "foreign", "foreign"],
  [
    "a proxy without its backend",
    () => http((_, response) => response.writeHead(503).end("connection refused")),
    "unavailable",
    "foreign",
  ],
  ["a mail server", () => tcp((socket) => socket.end("220 ESMTP\r\n")), "foreign", "foreign"],
  [
    "a server that closes the connection",
    () => tcp((socket) => socket.on("data", () => socket.destroy())),
    "broken",
    "broken",
  ],
  ["a server that hangs", () => tcp(() => {}), "timeout", "timeout"],
];

for (const [what, start, byWeb, byGrpc] of SERVERS) {
  for (const [scheme, origin] of [["http", byWeb], ["grpc", byGrpc]] as const) {
    Deno.test({
      name: `readFailure() recognizes ${what} by ${scheme}`,
      // Fetch and grpc-js keep connections in their own pools.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const server = start();
        const sockets = new Set<Socket>();
        server.on("connection", (socket: Socket) => sockets.add(socket));
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        try {
          assert.equal(await originOfCall(`${scheme}://127.0.0.1:${port}`), origin);
        } finally {
          for (const socket of sockets) socket.destroy();
          await new Promise((resolve) => server.close(resolve));
        }
      },
    });
  }
}

Deno.test({
  name: "readFailure() recognizes a closed port and an unknown host, with both protocols",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    for (const scheme of ["http", "grpc"]) {
      assert.equal(await originOfCall(`${scheme}://127.0.0.1:${port}`), "refused", scheme);
      assert.equal(
        await originOfCall(`${scheme}://no-such-host.invalid:80`),
        "unknown_host",
        scheme,
      );
    }
  },
});

async function originOfCall(server: string): Promise<FailureOrigin> {
  const connection = await connect({ server: new URL(server), requestTimeoutMs: 500 });
  try {
    await connection.client(EnvironmentService).listEnvironments({});
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return readFailure(error).origin;
  } finally {
    connection.close();
  }
  assert.fail("the call must fail");
}
