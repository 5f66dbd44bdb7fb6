/** Web pages of other origins, and DNS rebinding. */
import assert from "node:assert/strict";
import { type Door, route, serveWeb } from "@mpc/api";
import { DiagnosticsService } from "@mpc/proto";
import { rawPeer } from "../fuzz/raw_peer.ts";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";

const PATH = "/mpc.v1.DiagnosticsService/GetServerInfo";
const LISTED = "https://dashboard.example.com";
const ALLOW_ORIGIN = "access-control-allow-origin";

let calls = 0;

function test(
  name: string,
  corsOrigins: readonly string[],
  run: (door: Door, ask: (headers: HeadersInit, method?: string) => Promise<Response>) => Promise<
    void
  >,
): void {
  Deno.test({
    name: `web pages: ${name}`,
    ...NO_SANITIZERS,
    async fn() {
      const door = serveWeb({
        routes: [
          route(DiagnosticsService, {
            diagnose: () => ({}),
            sweepObjects: () => ({}),
            claimCluster: () => ({}),
            getActivity: () => ({}),
            getServerInfo: () => {
              calls++;
              return { version: "test" };
            },
          }),
        ],
        listen: { host: "127.0.0.1", port: 0 },
        corsOrigins,
      });
      const ask = async (headers: HeadersInit, method = "POST") => {
        const response = await fetch(`http://127.0.0.1:${door.address.port}${PATH}`, {
          method,
          headers: { "content-type": "application/json", ...headers },
          ...(method === "POST" && { body: "{}" }),
        });
        await response.text();
        return response;
      };
      try {
        await run(door, ask);
      } finally {
        await door.close(0);
      }
    },
  });
}

const PREFLIGHT = {
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization, content-type",
};

test("no origin is allowed by default", [], async (_, ask) => {
  const before = calls;
  for (const origin of [LISTED, "null", "https://evil.example"]) {
    for (
      const response of [await ask({ origin }), await ask({ origin, ...PREFLIGHT }, "OPTIONS")]
    ) {
      assert.equal(response.status, 403, origin);
      assert.equal(response.headers.get(ALLOW_ORIGIN), null);
    }
  }
  const own = await ask({ origin: "http://localhost:3000" });
  assert.equal(own.status, 200);
  assert.equal(own.headers.get(ALLOW_ORIGIN), null);
  assert.equal(calls, before + 1, "refused requests change nothing");
});

test("listed origins may call, after a preflight", [LISTED], async (_, ask) => {
  const preflight = await ask({ origin: LISTED, ...PREFLIGHT }, "OPTIONS");
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get(ALLOW_ORIGIN), LISTED);
  assert.equal(preflight.headers.get("access-control-allow-methods"), "GET, POST");
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /authorization/);
  const answer = await ask({ origin: LISTED });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get(ALLOW_ORIGIN), LISTED);
  assert.match(answer.headers.get("vary") ?? "", /origin/i);
  for (const { headers } of [preflight, answer]) {
    assert.equal(headers.get("access-control-allow-credentials"), null);
  }
});

test("origins that resemble a listed one are refused", [LISTED], async (_, ask) => {
  const before = calls;
  for (
    const origin of [
      "http://dashboard.example.com",
      `${LISTED}:8443`,
      `${LISTED}.evil.example`,
      "https://evil.example",
      "null",
      "*",
    ]
  ) {
    for (
      const response of [await ask({ origin }), await ask({ origin, ...PREFLIGHT }, "OPTIONS")]
    ) {
      assert.equal(response.status, 403, origin);
      assert.equal(response.headers.get(ALLOW_ORIGIN), null, origin);
    }
  }
  assert.equal(calls, before);
});

test("a name that was rebound to this machine is refused", [LISTED], async (door) => {
  const before = calls;
  // The page's own origin is its name, so a browser sends no other Origin, or none at all.
  for (
    const headers of [
      "Host: rebound.evil.example\r\n",
      "Host: rebound.evil.example\r\nOrigin: http://rebound.evil.example\r\n",
      `Host: rebound.evil.example\r\nOrigin: ${LISTED}\r\n`,
      "Host: localhost.evil.example\r\n",
      "Host: 127.0.0.1.evil.example\r\n",
    ]
  ) {
    const { ended } = await rawPeer(
      door.address.port,
      `POST ${PATH} HTTP/1.1\r\n${headers}Connection: close\r\n` +
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    );
    const answer = await ended;
    assert.match(answer, /^HTTP\/1\.1 421 /, headers);
    assert.match(answer, /HOST_NOT_ALLOWED/);
    assert.doesNotMatch(answer, /access-control/i);
  }
  assert.equal(calls, before);
});
