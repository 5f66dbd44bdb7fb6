/** What the web door does with requests that do not become calls, and with calls that take long. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { type Door, route, serveWeb } from "@mpc/api";
import { DiagnosticsService } from "@mpc/proto";
import { rawPeer } from "../fuzz/raw_peer.ts";

const PATH = "/mpc.v1.DiagnosticsService/GetServerInfo";
const LARGE = "x".repeat(20_000);
const START = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;

function test(
  name: string,
  run: (door: Door, url: string) => Promise<void>,
  limits: Parameters<typeof serveWeb>[0]["limits"] = {},
): void {
  Deno.test({
    name: `web door: ${name}`,
    // Clients keep connections in their own pools.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const door = serveWeb({
        routes: [
          route(DiagnosticsService, {
            diagnose: () => ({}),
            sweepObjects: () => ({}),
            claimCluster: () => ({}),
            getActivity: () => ({}),
            getServerInfo: (_, { requestHeader }) =>
              requestHeader.has("x-hang") ? new Promise(() => {}) : { version: LARGE },
          }),
        ],
        listen: { host: "127.0.0.1", port: 0 },
        grpcAddress: { host: "127.0.0.1", port: 50051 },
        allowedHosts: ["mpc.example.com"],
        limits,
      });
      try {
        await run(door, `http://127.0.0.1:${door.address.port}${PATH}`);
      } finally {
        await door.close(0);
      }
    },
  });
}

for (const [what, length] of Object.entries({ small: 10, large: 1_000_000 })) {
  test(`an incomplete body is answered when its time is over: a ${what} one`, async (door) => {
    const { ended } = await rawPeer(
      door.address.port,
      `${START}Content-Length: ${length}\r\n\r\n{`,
    );
    const answer = await ended;
    assert.match(answer, /^HTTP\/1\.1 504 /);
    assert.match(answer, /BODY_TIMEOUT/);
  }, { bodyTimeoutMs: 50 });
}

test("incomplete headers and silent connections are cut when their time is over", async (door) => {
  const peers = await Promise.all(
    ["", START, "PRI * HT"].map((b) => rawPeer(door.address.port, b)),
  );
  assert.deepEqual(await Promise.all(peers.map(({ ended }) => ended)), ["", "", ""]);
}, { handshakeTimeoutMs: 50 });

test("a connection without requests is cut when its time is over", async (door) => {
  const { ended } = await rawPeer(door.address.port, `${START}Content-Length: 2\r\n\r\n{}`);
  assert.match(await ended, /^HTTP\/1\.1 200 /);
}, { idleTimeoutMs: 50 });

test("a method that never answers is ended by the deadline of every protocol", async (_, url) => {
  const hang = { "x-hang": "1" };
  for (const timeout of ["0", "30"]) {
    const headers = { ...hang, "content-type": "application/json", "connect-timeout-ms": timeout };
    const response = await fetch(url, { method: "POST", headers, body: "{}" });
    const { code, details } = await response.json();
    assert.deepEqual([code, details.length], ["deadline_exceeded", 2]);
  }
  for (const type of ["application/grpc-web+proto", "application/grpc-web+json"]) {
    for (const timeout of ["0n", "1m", "30m"]) {
      const headers = { ...hang, "content-type": type, "grpc-timeout": timeout };
      const body = type.endsWith("json")
        ? new TextEncoder().encode("\0\0\0\0\x02{}")
        : new Uint8Array(5);
      const text = await (await fetch(url, { method: "POST", headers, body })).text();
      assert.match(text, /grpc-status: ?4\r/, `${type} ${timeout}`);
    }
  }
});

test("deadlines of weeks and years are accepted on every path", async (_, url) => {
  const rows: readonly Record<string, string>[] = [
    { "content-type": "application/json", "connect-timeout-ms": "9999999999" },
    { "content-type": "application/grpc-web+proto", "grpc-timeout": "600H" },
    { "content-type": "application/grpc-web+proto", "grpc-timeout": "99999999H" },
  ];
  for (const headers of rows) {
    const body = headers["connect-timeout-ms"] ? "{}" : new Uint8Array(5);
    const text = await (await fetch(url, { method: "POST", headers, body })).text();
    assert.match(text, /xxx/, JSON.stringify(headers));
  }
});

test("large responses are compressed if the caller accepts it", async (door) => {
  const raw = async (type: string, body: string, accept: string) => {
    const { ended } = await rawPeer(
      door.address.port,
      `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\n` +
        `Accept-Encoding: ${accept}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const answer = await ended;
    const at = answer.indexOf("\r\n\r\n");
    const bytes = Uint8Array.from(answer.slice(at + 4), (c) => c.charCodeAt(0));
    return { head: answer.slice(0, at), bytes };
  };
  for (
    const [type, body] of [
      ["application/json", "{}"],
      ["application/grpc-web+proto", "\0\0\0\0\0"],
    ] as const
  ) {
    const plain = await raw(type, body, "identity");
    const small = await raw(type, body, "br, gzip");
    assert.doesNotMatch(plain.head, /content-encoding/);
    assert.match(small.head, /content-encoding: gzip/);
    assert.deepEqual(new Uint8Array(gunzipSync(small.bytes)), plain.bytes);
  }
});

test("a gRPC client is told the port of gRPC", async (_, url) => {
  const headers = { "content-type": "application/grpc", te: "trailers" };
  const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(5) });
  assert.equal(response.headers.get("grpc-status"), "12");
  assert.match(
    decodeURIComponent(response.headers.get("grpc-message") ?? ""),
    /call grpc:\/\/127\.0\.0\.1:50051$/,
  );
  assert.ok(response.headers.get("grpc-status-details-bin"));
});

test("hosts and origins that are not ours are rejected", async (door) => {
  const ask = async (headers: string) =>
    await (await rawPeer(
      door.address.port,
      `POST ${PATH} HTTP/1.1\r\n${headers}Connection: close\r\n` +
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    )).ended;
  for (
    const [headers, status, reason] of [
      ["Host: mpc.example.com\r\n", 200, /xxx/],
      ["Host: localhost:1\r\nOrigin: http://localhost:3000\r\n", 200, /xxx/],
      ["Host: evil.example\r\n", 421, /HOST_NOT_ALLOWED/],
      ["Host: localhost\r\nOrigin: http://evil.example\r\n", 403, /ORIGIN_NOT_ALLOWED/],
      ["Host: localhost\r\nOrigin: null\r\n", 403, /ORIGIN_NOT_ALLOWED/],
    ] as const
  ) {
    const answer = await ask(headers);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), headers);
    assert.match(answer, reason);
  }
});

test("another HTTP method is rejected with the allowed methods", async (_, url) => {
  const response = await fetch(url, { method: "PUT" });
  await response.body?.cancel();
  assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST, GET"]);
});
