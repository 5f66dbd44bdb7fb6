import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { DiagnosticsService, EnvironmentService } from "@mpc/proto";
import { enveloped } from "../api/web/envelope.ts";
import { loopbackCertificate } from "../tests/servers/certificate.ts";
import { callJson } from "./call_json.ts";
import { connect } from "./connect.ts";
import type { ConnectOptions, Credentials } from "./connect_options.ts";
import { readFailure } from "./errors.ts";

const GOOD = "good-token";

/** What arrived with one call. */
interface Arrival {
  readonly authorization: string | undefined;
  /** The common name of the client's certificate. */
  readonly peer: string | undefined;
}

interface Door extends AsyncDisposable {
  readonly url: URL;
  readonly arrivals: Arrival[];
}

interface Pems {
  readonly cert: string;
  readonly key: string;
}

const isGood = ({ authorization }: Arrival) => authorization === `Bearer ${GOOD}`;

/** Answers each call with an empty message if its token is good. */
async function openWeb(pems?: Pems): Promise<Door> {
  const arrivals: Arrival[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const socket: object = request.socket;
    const certificate = "getPeerCertificate" in socket &&
      typeof socket.getPeerCertificate === "function" && socket.getPeerCertificate();
    const arrival = {
      authorization: request.headers.authorization,
      peer: certificate ? certificate.subject?.CN : undefined,
    };
    arrivals.push(arrival);
    const isJson = request.headers["content-type"] === "application/json";
    if (isJson) {
      response.writeHead(isGood(arrival) ? 200 : 401, { "content-type": "application/json" });
      response.end(isGood(arrival) ? "{}" : '{"code":"unauthenticated"}');
      return;
    }
    response.setHeader("content-type", "application/grpc-web+proto");
    const code = isGood(arrival) ? 0 : Code.Unauthenticated;
    if (code === 0) response.write(enveloped(0, new Uint8Array()));
    response.end(enveloped(0x80, new TextEncoder().encode(`grpc-status: ${code}\r\n`)));
  };
  const server: HttpServer = pems
    ? createHttpsServer(
      { ...pems, ca: pems.cert, requestCert: true, rejectUnauthorized: false },
      answer,
    )
    : createHttpServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${pems ? "https" : "http"}://127.0.0.1:${port}`),
    arrivals,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The same by gRPC; with certificates it wants one of the client. */
async function openGrpc(pems?: Pems): Promise<Door> {
  const arrivals: Arrival[] = [];
  const server = new Server();
  const method = {
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  } as const;
  const paths = [
    `/${DiagnosticsService.typeName}/GetServerInfo`,
    `/${EnvironmentService.typeName}/ListEnvironments`,
  ];
  server.addService(
    Object.fromEntries(paths.map((path) => [path, { ...method, path }])),
    Object.fromEntries(paths.map((path) => [
      path,
      (
        call: { readonly metadata: { get(key: string): unknown[] }; getAuthContext(): object },
        reply: (error: { code: number } | null, bytes?: Buffer) => void,
      ) => {
        const [authorization] = call.metadata.get("authorization");
        const context = call.getAuthContext();
        const certificate = "sslPeerCertificate" in context && context.sslPeerCertificate;
        const arrival = {
          authorization: authorization === undefined ? undefined : String(authorization),
          peer: certificate ? (certificate as { subject: { CN: string } }).subject.CN : undefined,
        };
        arrivals.push(arrival);
        if (isGood(arrival)) reply(null, Buffer.alloc(0));
        else reply({ code: Code.Unauthenticated });
      },
    ])),
  );
  const secure = pems &&
    ServerCredentials.createSsl(Buffer.from(pems.cert), [{
      cert_chain: Buffer.from(pems.cert),
      private_key: Buffer.from(pems.key),
    }], true);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(
      "127.0.0.1:0",
      secure ?? ServerCredentials.createInsecure(),
      (error, bound) => error ? reject(error) : resolve(bound),
    )
  );
  return {
    url: new URL(`${pems ? "grpcs" : "grpc"}://localhost:${port}`),
    arrivals,
    [Symbol.asyncDispose]: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

/** One call with message classes, and one in JSON. */
const CALLS: Readonly<Record<string, (options: ConnectOptions) => Promise<unknown>>> = {
  async "connect()"(options) {
    const connection = await connect(options);
    try {
      return await connection.client(DiagnosticsService).getServerInfo({});
    } finally {
      connection.close();
    }
  },
  "callJson()": (options) => callJson(options, "mpc.v1.EnvironmentService/ListEnvironments", {}),
};

const DOORS = { web: openWeb, gRPC: openGrpc };

function testBoth(
  title: string,
  run: (
    call: (options: ConnectOptions) => Promise<unknown>,
    open: (pems?: Pems) => Promise<Door>,
  ) => Promise<void>,
): void {
  for (const [door, open] of Object.entries(DOORS)) {
    for (const [how, call] of Object.entries(CALLS)) {
      Deno.test({
        name: `${how} ${title} by ${door}`,
        // Fetch and grpc-js keep connections in their own pools.
        sanitizeOps: false,
        sanitizeResources: false,
        fn: () => run(call, open),
      });
    }
  }
}

const failureOf = async (call: Promise<unknown>) => {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return readFailure(error);
  }
  assert.fail("the call must fail");
};

testBoth("sends the token of its credentials", async (call, open) => {
  await using door = await open();
  await call({ server: door.url, credentials: () => Promise.resolve(GOOD) });
  assert.deepEqual(door.arrivals, [{ authorization: "Bearer good-token", peer: undefined }]);
});

testBoth("sends nothing without credentials, and reports the refusal", async (call, open) => {
  await using door = await open();
  for (const credentials of [undefined, () => Promise.resolve(undefined)]) {
    const { code } = await failureOf(call({ server: door.url, credentials }));
    assert.equal(code, Code.Unauthenticated);
  }
  assert.deepEqual(door.arrivals.map(({ authorization }) => authorization), [undefined, undefined]);
});

testBoth("asks for another token once when one is refused", async (call, open) => {
  await using door = await open();
  const asked: (string | undefined)[] = [];
  const turning = (next: string): Credentials => (rejected) => {
    asked.push(rejected);
    return Promise.resolve(rejected === undefined ? "old" : next);
  };
  await call({ server: door.url, credentials: turning(GOOD) });
  assert.deepEqual(asked, [undefined, "old"]);
  assert.equal((await failureOf(call({ server: door.url, credentials: turning("bad") }))).code, 16);
  assert.equal((await failureOf(call({ server: door.url, credentials: turning("old") }))).code, 16);
  const sent = door.arrivals.map(({ authorization }) => authorization);
  assert.deepEqual(sent, ["old", GOOD, "old", "bad", "old"].map((token) => `Bearer ${token}`));
});

for (const [how, call] of Object.entries(CALLS)) {
  Deno.test(`${how} never sends a token unencrypted to another machine`, async () => {
    const credentials = () => Promise.resolve("secret");
    for (
      const [server, wanted] of [
        // Addresses for documentation, which lead nowhere (RFC 5737, RFC 3849).
        ["http://192.0.2.1:8080", "https://"],
        ["http://127.0.0.1.example.com", "https://"],
        ["http://[2001:db8::1]:8080", "https://"],
        ["grpc://localhost.example.com:50051", "grpcs://"],
      ] as const
    ) {
      const { code, message } = await failureOf(call({ server: new URL(server), credentials }));
      assert.equal(code, Code.FailedPrecondition, server);
      assert.ok(message.startsWith(`Cannot send a token to ${server}: `), message);
      assert.ok(message.includes(`must be ${wanted} or lead to a loopback address`), message);
      assert.ok(!message.includes("secret"));
    }
  });
}

testBoth("trusts the authorities that are named, and shows its certificate", async (call, open) => {
  const pems = await loopbackCertificate();
  await using door = await open(pems);
  const credentials = () => Promise.resolve(GOOD);
  const tls = { ca: pems.cert, certificate: pems.cert, key: pems.key };
  await call({ server: door.url, credentials, tls });
  assert.deepEqual(door.arrivals, [{ authorization: "Bearer good-token", peer: "localhost" }]);
});

testBoth("trusts no unknown certificate, and sends it nothing", async (call, open) => {
  await using door = await open(await loopbackCertificate());
  const other = await loopbackCertificate();
  const credentials = () => Promise.resolve(GOOD);
  for (const tls of [undefined, { ca: other.cert }]) {
    const { origin, message } = await failureOf(call({ server: door.url, credentials, tls }));
    assert.equal(origin, "untrusted", message);
  }
  assert.deepEqual(door.arrivals, []);
});

Deno.test({
  name: "connect() reports a server that wants a client certificate by gRPC",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const pems = await loopbackCertificate();
    await using door = await openGrpc(pems);
    const call = CALLS["connect()"]!({ server: door.url, tls: { ca: pems.cert } });
    const { origin, message } = await failureOf(call);
    assert.ok(["certificate_refused", "broken"].includes(origin), `${origin}: ${message}`);
  },
});
