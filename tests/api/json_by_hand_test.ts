/** JSON written by hand, for instance with curl: every mistake has a response that explains it. */
import assert from "node:assert/strict";
import { startAllInOne } from "@mpc/api";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";

const JSON_TYPE = { "content-type": "application/json" };

interface Row {
  readonly slip: string;
  /** By default CreateEnvironment. */
  readonly method?: string;
  readonly request: RequestInit;
  readonly status: number;
  readonly reason: string;
  readonly message: RegExp;
}

const ROWS: readonly Row[] = [
  {
    slip: "no content type",
    request: { method: "POST", body: new TextEncoder().encode("{}") },
    status: 415,
    reason: "NO_CALL",
    message: /its content-type is not set, must be 'application\/json'$/,
  },
  {
    slip: "curl's own content type",
    request: { method: "POST", body: new URLSearchParams({ a: "b" }) },
    status: 415,
    reason: "NO_CALL",
    message: /its content-type is 'application\/x-www-form-urlencoded.*', must be/,
  },
  {
    slip: "the content type of a unary call at a stream",
    method: "EventService/WatchEvents",
    request: { method: "POST", headers: JSON_TYPE, body: "{}" },
    status: 415,
    reason: "NO_CALL",
    message: /its content-type is 'application\/json', must be 'application\/connect\+json'$/,
  },
  {
    slip: "an unknown field below a content type in capitals",
    request: {
      method: "POST",
      headers: { "content-type": "APPLICATION/JSON" },
      body: '{"validate_onyl": true}',
    },
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /key "validate_onyl" is unknown$/,
  },
  {
    slip: "another method",
    request: { method: "GET" },
    status: 405,
    reason: "NO_CALL",
    message: /its method is GET, must be POST$/,
  },
  {
    slip: "an unknown field",
    request: { method: "POST", headers: JSON_TYPE, body: '{"validate_onyl": true}' },
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /key "validate_onyl" is unknown$/,
  },
  {
    slip: "an unknown field inside another field",
    request: { method: "POST", headers: JSON_TYPE, body: '{"environment": {"lables": {}}}' },
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /mpc\.v1\.Environment from JSON: key "lables" is unknown$/,
  },
  {
    slip: "a duplicate field",
    request: {
      method: "POST",
      headers: JSON_TYPE,
      body: '{"environment_id": "a", "environment_id": "b"}',
    },
    status: 400,
    reason: "UNREADABLE_MESSAGE",
    message: /duplicate object key "environment_id"$/,
  },
];

Deno.test("mistakes in JSON that is written by hand", async (t) => {
  const platform = await startAllInOne(QUIET_CONFIG);
  const { host, port } = platform.webAddress;
  const base = `http://${host}:${port}/mpc.v1.`;
  try {
    for (const { slip, method, request, status, reason, message } of ROWS) {
      await t.step(`${slip} is explained`, async () => {
        const url = `${base}${method ?? "EnvironmentService/CreateEnvironment"}`;
        const response = await fetch(url, request);
        const told = await response.json();
        assert.equal(response.status, status);
        assert.equal(told.code, "invalid_argument");
        assert.match(told.message, message);
        const [info, advice, ...more] = told.details.map(({ debug }: { debug: unknown }) => debug);
        assert.deepEqual(info, { reason, domain: "mini-platform-control-plane" });
        assert.equal(advice.responsible, "caller");
        assert.ok(advice.nextStep !== "");
        assert.deepEqual(more, []);
      });
    }
  } finally {
    await platform.close();
  }
});
