import assert from "node:assert/strict";
import { encryptingCodec } from "../engine/temporal/encrypting_codec.ts";
import { serveCodec } from "./serve_codec.ts";

const KEY = crypto.getRandomValues(new Uint8Array(32)).toBase64();
const UI = "https://temporal.example.com";

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

const PAYLOADS = {
  payloads: [{ metadata: { encoding: base64("json/plain") }, data: base64('"pineapple"') }],
};

/** Calls a codec server. */
async function withServer(
  use: (
    call: (path: string, init?: RequestInit) => Promise<Response>,
    port: number,
  ) => Promise<void>,
): Promise<void> {
  const server = serveCodec({
    codec: await encryptingCodec(KEY),
    listen: { host: "127.0.0.1", port: 0 },
    uiOrigin: UI,
  });
  try {
    const { port } = server.address;
    await use(
      (path, init) => fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", ...init }),
      port,
    );
  } finally {
    await server.close();
  }
}

const sent = (value: unknown, headers: HeadersInit = {}): RequestInit => ({
  body: JSON.stringify(value),
  headers: { "content-type": "application/json", ...headers },
});

Deno.test("/decode gives back what /encode has encrypted, to pages of the UI and to programs", () =>
  withServer(async (call) => {
    const encoded = await call("/encode", sent(PAYLOADS, { origin: UI }));
    assert.equal(encoded.headers.get("access-control-allow-origin"), UI);
    const sealed = await encoded.json();
    assert.ok(!atob(sealed.payloads[0].data).includes("pineapple"));
    const decoded = await call("/decode", sent(sealed));
    assert.deepEqual([decoded.status, await decoded.json()], [200, PAYLOADS]);
  }));

Deno.test("a browser may send the UI's requests with its headers and credentials", () =>
  withServer(async (call) => {
    const headers = { origin: UI, "access-control-request-headers": "x-namespace,content-type" };
    const { status, headers: answered } = await call("/decode", { method: "OPTIONS", headers });
    assert.equal(status, 204);
    assert.deepEqual(
      ["origin", "credentials", "methods", "headers"].map((name) =>
        answered.get(`access-control-allow-${name}`)
      ),
      [UI, "true", "POST, OPTIONS", "content-type, x-namespace, authorization"],
    );
  }));

Deno.test("a name that somebody else lets resolve to this machine is refused", () =>
  withServer(async (_call, port) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const head = ["POST /decode HTTP/1.1", "Host: evil.example", "Content-Length: 2"];
    const request = [...head, "Connection: close", "", "{}"].join("\r\n");
    await connection.write(new TextEncoder().encode(request));
    const answer = await new Response(connection.readable).text();
    assert.match(answer, /^HTTP\/1.1 403 [^]*'evil.example' is not this server/);
  }));

const OTHER = "https://temporal.example.com.evil.example";

const REFUSED: readonly (readonly [string, string, RequestInit, number, RegExp])[] = [
  ["a page of another origin", "/decode", sent(PAYLOADS, { origin: OTHER }), 403, /--ui-origin/],
  ["its preflight", "/decode", { method: "OPTIONS", headers: { origin: OTHER } }, 403, /may not/],
  ["an opaque origin", "/decode", sent(PAYLOADS, { origin: "null" }), 403, /pages of 'null'/],
  ["another method", "/decode", { method: "GET" }, 405, /use POST/],
  ["another path", "/keys", sent(PAYLOADS), 404, /only \/encode and \/decode/],
  ["no JSON", "/decode", { body: "x" }, 400, /not payloads/],
  ["data that is not base64", "/decode", sent({ payloads: [{ data: "%" }] }), 400, /base64/],
  ["a long body", "/encode", { body: "x".repeat(7 * 1_024 * 1_024) }, 413, /at most/],
  [
    "a payload of another key",
    "/decode",
    sent({
      payloads: [{ metadata: { encoding: base64("binary/encrypted"), key: base64("0badcafe") } }],
    }),
    400,
    /encrypted by key '0badcafe'/,
  ],
];

for (const [what, path, init, status, message] of REFUSED) {
  Deno.test(`${what} is refused with ${status}, and learns nothing`, () =>
    withServer(async (call) => {
      const answer = await call(path, init);
      const text = await answer.text();
      assert.equal(answer.status, status, text);
      assert.match(JSON.parse(text).message, message);
      assert.ok(!text.includes(base64('"pineapple"')));
      assert.notEqual(answer.headers.get("access-control-allow-origin"), OTHER);
    }));
}
