/** The OpenAPI document: valid, complete, and true of what the web door takes and answers. */
import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { startAllInOne } from "@mpc/api";
import document from "../../api/openapi.json" with { type: "json" };
import { enveloped } from "../../api/web/envelope.ts";
import { ERROR_EXAMPLE, EXAMPLES, OPERATION } from "../../docs/openapi/examples.ts";
import { rawPeer } from "../fuzz/raw_peer.ts";
import { aDeadLetter, anEventSink } from "../fakes/documents.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";

type Content = Readonly<Record<string, unknown>>;

interface Described {
  readonly requestBody?: { readonly content: Content };
  readonly responses: { readonly 200: { readonly content: Content } };
}

const paths: Readonly<Record<string, { readonly get?: Described; readonly post: Described }>> =
  document.paths;

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, "openapi");

/** Asserts that a value is as a part of the document says, named by the keys that lead to it. */
function assertValid(value: unknown, ...keys: readonly string[]): void {
  const pointer = keys.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
  const check = ajv.compile({ $ref: `openapi#/${pointer}` });
  assert.ok(
    check(value),
    `${pointer}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`,
  );
}

const JSON_TYPE = "application/json";
const STREAM_TYPE = "application/connect+json";
const request = (path: string) => ["paths", path, "post", "requestBody", "content"];
const answer = (
  path: string,
  method = "post",
) => ["paths", path, method, "responses", "200", "content"];

/** Runs with a server in memory, and with the door's address. */
async function withDoor(use: (origin: string) => Promise<void>): Promise<void> {
  const platform = await startAllInOne(QUIET_CONFIG);
  await platform.store.eventSinks.create(anEventSink("chat"));
  await platform.store.deadLetters.create(aDeadLetter("chat", 1));
  try {
    await use(`http://127.0.0.1:${platform.webAddress.port}`);
  } finally {
    await platform.close();
  }
}

const post = (url: string, body: BodyInit, type = JSON_TYPE) =>
  fetch(url, { method: "POST", headers: { "content-type": type }, body });

/** The messages of a stream, each with its flags. */
function messagesIn(bytes: Uint8Array): readonly { flags: number; message: unknown }[] {
  const messages = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + view.getUint32(at + 1);
    const text = new TextDecoder().decode(bytes.subarray(at + 5, end));
    messages.push({ flags: bytes[at] ?? 0, message: JSON.parse(text) });
    at = end;
  }
  return messages;
}

Deno.test("the document is valid OpenAPI 3.1, for a validator that is not ours", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
  const broken = await validator.validate({ ...structuredClone(document), paths: { none: 1 } });
  assert.ok(!broken.valid, "the validator finds faults");
});

Deno.test("the document is served as it is committed, to GET, HEAD and own hosts alone", () =>
  withDoor(async (origin) => {
    const url = `${origin}/openapi.json`;
    const served = await fetch(url);
    assert.equal(served.status, 200);
    assert.equal(served.headers.get("content-type"), JSON_TYPE);
    assert.equal(served.headers.get("content-encoding"), "gzip", "fetch asks for it");
    assert.deepEqual(await served.json(), document);
    const plain = await fetch(url, { headers: { "accept-encoding": "identity" } });
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.deepEqual(await plain.json(), document);
    const head = await fetch(url, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    for (
      const [init, status, headers] of [
        [{ method: "POST" }, 405, { allow: "GET, HEAD" }],
        [{ headers: { origin: "http://evil.example" } }, 403, {}],
      ] as const
    ) {
      const refused = await fetch(url, init);
      assert.equal(refused.status, status);
      for (const [name, value] of Object.entries(headers)) {
        assert.equal(refused.headers.get(name), value);
      }
      assertValid(await refused.json(), "components", "schemas", "connect.Error");
    }
    const { port } = new URL(url);
    const { ended } = await rawPeer(
      Number(port),
      "GET /openapi.json HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    assert.match(await ended, /^HTTP\/1.1 421 [^]*HOST_NOT_ALLOWED/);
  }));

Deno.test("the document has every service that the door serves but reflection", () =>
  withDoor(async (origin) => {
    const health = await (await post(`${origin}/grpc.health.v1.Health/List`, "{}")).json();
    const services = Object.keys(health.statuses).filter((name) => name !== "");
    assert.deepEqual(
      document.tags.map(({ name }) => name).sort(),
      [...services, "grpc.health.v1.Health"].sort(),
    );
    for (const path of Object.keys(paths)) {
      const answered = await post(`${origin}${path}`, "{}", "text/plain");
      assert.equal(answered.status, 415, `${path} is served`);
      await answered.body?.cancel();
    }
  }));

Deno.test("every example is taken by the door, and answered as the document says", async (t) => {
  await withDoor(async (origin) => {
    let operation = OPERATION;
    for (const [path, example] of Object.entries(EXAMPLES)) {
      await t.step(path, async () => {
        const sent = "name" in example && example["name"] === OPERATION
          ? { ...example, name: operation }
          : example;
        assertValid(sent, ...request(path), JSON_TYPE, "schema");
        const answered = await post(`${origin}${path}`, JSON.stringify(sent));
        const told = await answered.json();
        assert.equal(answered.status, 200, JSON.stringify(told));
        assertValid(told, ...answer(path), JSON_TYPE, "schema");
        if (paths[path]?.get) {
          const query = new URLSearchParams({
            connect: "v1",
            encoding: "json",
            message: JSON.stringify(sent),
          });
          const read = await fetch(`${origin}${path}?${query}`);
          const again = await read.json();
          assert.equal(read.status, 200, JSON.stringify(again));
          assertValid(again, ...answer(path, "get"), JSON_TYPE, "schema");
        }
        if (!/Get|List|Wait/.test(path) && told.name?.startsWith("operations/")) {
          operation = told.name;
          const url = `${origin}/mpc.v1.OperationService/WaitOperation`;
          const ended = await (await post(url, JSON.stringify({ name: operation }))).json();
          assert.equal(ended.state, "OPERATION_STATE_SUCCEEDED", JSON.stringify(ended.error));
        }
      });
    }
  });
});

Deno.test("a request that the document does not allow is refused as it says", () =>
  withDoor(async (origin) => {
    const path = "/mpc.v1.EnvironmentService/GetEnvironment";
    const wrong = { nam: "environments/none" };
    assert.throws(() => assertValid(wrong, ...request(path), JSON_TYPE, "schema"));
    const refused = await post(`${origin}${path}`, JSON.stringify(wrong));
    assert.equal(refused.status, 400);
    assertValid(await refused.json(), "components", "schemas", "connect.Error");
    const missing = await post(`${origin}${path}`, JSON.stringify({ name: "environments/none" }));
    assert.equal(missing.status, 404);
    assert.deepEqual(await missing.json(), ERROR_EXAMPLE, "the document's example");
  }));

Deno.test("streams have envelopes as the document says", () =>
  withDoor(async (origin) => {
    const stream = async (path: string, asked: object) => {
      const body = enveloped(0, new TextEncoder().encode(JSON.stringify(asked)));
      const item = (
        keys: readonly string[],
      ) => [...keys, STREAM_TYPE, "schema", "x-envelope-message"];
      assertValid(asked, ...item(request(path)));
      const answered = await post(`${origin}${path}`, body, STREAM_TYPE);
      assert.equal(answered.status, 200);
      assert.equal(answered.headers.get("content-type"), STREAM_TYPE);
      const told = messagesIn(new Uint8Array(await answered.arrayBuffer()));
      const last = told.at(-1);
      assert.equal(last?.flags, 2);
      assertValid(last.message, "components", "schemas", "connect.EndStream");
      const before = told.slice(0, -1);
      for (const { flags, message } of before) {
        assert.equal(flags, 0);
        assertValid(message, ...item(answer(path)));
      }
      return { messages: before.length, last: last.message };
    };
    const creation = "/mpc.v1.EnvironmentService/CreateEnvironment";
    const created = await post(`${origin}${creation}`, JSON.stringify(EXAMPLES[creation]));
    const { name } = await created.json();
    const watched = await stream("/mpc.v1.OperationService/WatchOperation", { name });
    assert.ok(watched.messages > 0);
    assert.deepEqual(watched.last, {});
    const missing = { name: "environments/shop/workloads/none" };
    const { last } = await stream("/mpc.v1.WorkloadService/StreamLogs", missing);
    assert.match(JSON.stringify(last), /WORKLOAD_NOT_FOUND/);
  }));
