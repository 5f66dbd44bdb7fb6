/** Reads by GET at the web door ("Connect Protocol Reference", "Unary-Get-Request"). */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { type AllInOne, startAllInOne } from "@mpc/api";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import {
  AccessService,
  AuditService,
  DiagnosticsService,
  EnvironmentService,
  EventService,
  EventSinkService,
  ListEnvironmentsRequestSchema,
  ListEnvironmentsResponseSchema,
  OperationService,
  TokenService,
  WorkloadService,
} from "@mpc/proto";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";

const SERVICES = [
  EnvironmentService,
  WorkloadService,
  OperationService,
  EventService,
  EventSinkService,
  DiagnosticsService,
  AccessService,
  AuditService,
  TokenService,
];

const READ = /^(Get|List|WhoAmI|Check|Wait|Watch|Verify|Explain|Stream|Diagnose)/;

Deno.test("reads are NO_SIDE_EFFECTS, and nothing else is", () => {
  for (const method of SERVICES.flatMap(({ methods }) => methods)) {
    const { NO_SIDE_EFFECTS, IDEMPOTENCY_UNKNOWN } = MethodOptions_IdempotencyLevel;
    const level = READ.test(method.name) ? NO_SIDE_EFFECTS : IDEMPOTENCY_UNKNOWN;
    assert.equal(method.idempotency, level, method.name);
  }
});

const query = (fields: Readonly<Record<string, string>>) => `?${new URLSearchParams(fields)}`;

const json = (message: unknown) =>
  query({ connect: "v1", encoding: "json", message: JSON.stringify(message) });

interface Row {
  readonly title: string;
  readonly path: string;
  readonly request?: RequestInit;
  readonly status: number;
  readonly reason: string;
  readonly message: RegExp;
  readonly allow?: string;
}

const LIST = "EnvironmentService/ListEnvironments";

const REFUSED: readonly Row[] = [
  {
    title: "a change",
    path: `EnvironmentService/CreateEnvironment${json({ environmentId: "dev" })}`,
    status: 405,
    reason: "NO_CALL",
    message: /its method is GET, must be POST$/,
    allow: "POST",
  },
  {
    title: "another method than GET and POST",
    path: `${LIST}${json({})}`,
    request: { method: "PUT" },
    status: 405,
    reason: "NO_CALL",
    message: /its method is PUT, must be POST or GET$/,
    allow: "POST, GET",
  },
  {
    title: "a stream",
    path: `EventService/WatchEvents${json({})}`,
    status: 405,
    reason: "NO_CALL",
    message: /its method is GET, must be POST$/,
    allow: "POST",
  },
  {
    title: "a field that is not there",
    path: `${LIST}${json({ pageSzie: 3 })}`,
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /ListEnvironmentsRequest from JSON: key "pageSzie" is unknown$/,
  },
  {
    title: "JSON that ends too early",
    path: `${LIST}${query({ encoding: "json", message: '{"filter":' })}`,
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /it is no message of type mpc\.v1\.ListEnvironmentsRequest/,
  },
  {
    title: "no message",
    path: `${LIST}${query({ encoding: "json" })}`,
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /it is no message of type/,
  },
  {
    title: "a message that is no base64",
    path: `${LIST}${query({ encoding: "proto", base64: "1", message: "%%%" })}`,
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /its message is no URL-safe base64$/,
  },
  {
    title: "base64 of no message",
    path: `${LIST}${query({ encoding: "proto", base64: "1", message: "_w" })}`,
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /it is no message of type/,
  },
  {
    title: "a compressed message",
    path: `${LIST}${query({ encoding: "json", message: "{}", compression: "zstd" })}`,
    status: 501,
    reason: "UNSUPPORTED_ENCODING",
    message: /its compression is not identity$/,
  },
  {
    title: "no encoding",
    path: LIST,
    status: 415,
    reason: "NO_CALL",
    message: /its query has no 'encoding=json' or 'encoding=proto'$/,
  },
  {
    title: "what does not exist",
    path: `EnvironmentService/GetEnvironment${json({ name: "environments/none" })}`,
    status: 404,
    reason: "ENVIRONMENT_NOT_FOUND",
    message: /there is no environment/,
  },
];

Deno.test({
  name: "calls by GET",
  // Clients keep connections in pools of their own; the server's are checked by its close().
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const platform = await startAllInOne(QUIET_CONFIG);
    try {
      const base = `http://${platform.webAddress.host}:${platform.webAddress.port}/mpc.v1.`;
      await withEnvironment(platform);
      for (const row of REFUSED) {
        await t.step(`${row.title} is refused`, async () => {
          const response = await fetch(`${base}${row.path}`, row.request);
          const told = await response.json();
          assert.equal(response.status, row.status, told.message);
          assert.match(told.message, row.message);
          assert.equal(told.details[0]?.debug.reason, row.reason);
          assert.equal(response.headers.get("allow"), row.allow ?? null);
          assert.equal(response.headers.get("cache-control"), "no-store");
        });
      }
      await t.step("a list in JSON is answered, and no cache may keep it", async () => {
        const filter = 'labels."example.com/team" = web';
        const response = await fetch(`${base}${LIST}${json({ filter, readMask: "name" })}`);
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("cache-control"), "no-store");
        assert.equal(response.headers.get("content-type"), "application/json");
        assert.deepEqual(await response.json(), { environments: [{ name: "environments/dev" }] });
      });
      await t.step("a list in binary is answered", async () => {
        const request = { $typeName: ListEnvironmentsRequestSchema.typeName, pageSize: 1 };
        const bytes = toBinary(ListEnvironmentsRequestSchema, {
          ...request,
          pageToken: "",
          filter: "",
          orderBy: "",
        });
        const message = Buffer.from(bytes).toString("base64url");
        const url = `${base}${LIST}${query({ encoding: "proto", base64: "1", message })}`;
        const body = new Uint8Array(await (await fetch(url)).arrayBuffer());
        const { environments } = fromBinary(ListEnvironmentsResponseSchema, body);
        assert.deepEqual(environments.map(({ name }) => name), ["environments/dev"]);
      });
      await t.step("Connect's own client calls by GET", async () => {
        const baseUrl = base.slice(0, -"/mpc.v1.".length);
        const methods: string[] = [];
        const transport = createConnectTransport({
          baseUrl,
          useHttpGet: true,
          fetch: (input, init) => {
            methods.push(init?.method ?? "");
            return fetch(input, init);
          },
        });
        const client = createClient(EnvironmentService, transport);
        const { name } = await client.getEnvironment({ name: "environments/dev" });
        assert.deepEqual([name, methods], ["environments/dev", ["GET"]]);
      });
      await t.step("a host that is not ours is refused", async () => {
        const { host, port } = platform.webAddress;
        const path = `/mpc.v1.${LIST}${json({})}`;
        const { status, body } = await new Promise<{ status: number; body: string }>(
          (resolve, reject) =>
            get({ host, port, path, headers: { host: "evil.example" } }, (response) => {
              text(response).then(
                (body) => resolve({ status: response.statusCode ?? 0, body }),
                reject,
              );
            }).on("error", reject),
        );
        assert.equal(status, 421);
        assert.match(body, /HOST_NOT_ALLOWED/);
        const page = await fetch(`${base}${LIST}${json({})}`, {
          headers: { origin: "https://evil.example" },
        });
        assert.equal((await page.json()).details[0].debug.reason, "ORIGIN_NOT_ALLOWED");
      });
    } finally {
      await platform.close();
    }
  },
});

async function withEnvironment({ webAddress: { host, port } }: AllInOne): Promise<void> {
  const transport = createConnectTransport({ baseUrl: `http://${host}:${port}` });
  const { name } = await createClient(EnvironmentService, transport).createEnvironment({
    environmentId: "dev",
    environment: { labels: { "example.com/team": "web" } },
  });
  await createClient(OperationService, transport).waitOperation({ name });
}
