import assert from "node:assert/strict";
import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Transport,
} from "@connectrpc/connect";
import { EnvironmentService } from "@mpc/proto";
import { broken, fakeTiming, sent } from "@mpc/tests/fakes/scripted_server.ts";
import { withRetries } from "./retries.ts";

/** The error of a call to a port that nobody listens at. */
const refused = (): ConnectError =>
  new ConnectError("no", Code.Unknown, undefined, undefined, new Error("connection refused"));

/** A client of a server whose first calls fail with these errors. */
function clientOf(...errors: readonly ConnectError[]) {
  const left = [...errors];
  const requestIds: string[] = [];
  const server = createRouterTransport(({ rpc }) => {
    rpc(EnvironmentService.method.getEnvironment, () => ({}));
    rpc(EnvironmentService.method.createEnvironment, () => ({}));
  });
  const failing: Transport = {
    ...server,
    unary(...call) {
      const [, , , , input] = call;
      if (call[0].name === "CreateEnvironment") {
        requestIds.push(String(Reflect.get(input, "requestId") ?? ""));
      }
      const error = left.shift();
      return error ? Promise.reject(error) : server.unary(...call);
    },
  };
  const timing = fakeTiming();
  const transport = withRetries(failing, { timing, giveUpAfterMs: 10_000 });
  return { environments: createClient(EnvironmentService, transport), requestIds, timing };
}

const codeOf = async (call: Promise<unknown>): Promise<Code | undefined> => {
  try {
    await call;
    return undefined;
  } catch (error) {
    return ConnectError.from(error).code;
  }
};

Deno.test("withRetries() repeats a read while a server that has answered is away", async () => {
  const { environments, timing } = clientOf(
    sent(Code.NotFound, "ENVIRONMENT_NOT_FOUND"),
    broken(),
    refused(),
  );
  assert.equal(await codeOf(environments.getEnvironment({})), Code.NotFound, "it has answered");
  assert.equal(await codeOf(environments.getEnvironment({})), undefined);
  assert.deepEqual(timing.pauses, [200, 400]);
});

Deno.test("withRetries() reports a server that has never answered at once", async () => {
  for (const error of [refused(), broken()]) {
    const { environments, timing } = clientOf(error);
    assert.equal(await codeOf(environments.getEnvironment({})), Code.Unknown);
    assert.deepEqual(timing.pauses, []);
  }
  const { environments } = clientOf(refused());
  assert.equal(await codeOf(environments.createEnvironment({ requestId: "r" })), Code.Unknown);
});

Deno.test("withRetries() repeats a change that may have arrived, with its request id", async () => {
  const { environments, requestIds } = clientOf(broken(), refused(), refused());
  assert.equal(await codeOf(environments.createEnvironment({ requestId: "r" })), undefined);
  assert.deepEqual(requestIds, ["r", "r", "r", "r"]);
});

Deno.test("withRetries() does not repeat a change without a request id", async () => {
  const { environments, requestIds } = clientOf(
    sent(Code.NotFound, "ENVIRONMENT_NOT_FOUND"),
    broken(),
  );
  await codeOf(environments.getEnvironment({}));
  assert.equal(await codeOf(environments.createEnvironment({})), Code.Unknown);
  assert.deepEqual(requestIds, [""]);
});

Deno.test("withRetries() waits for a full rate limit and a shutdown, not for a cluster", async () => {
  const { environments, timing } = clientOf(
    sent(Code.ResourceExhausted, "RATE_LIMITED"),
    sent(Code.Unavailable, "SHUTTING_DOWN"),
    sent(Code.Unavailable, "CLUSTER_UNREACHABLE"),
  );
  assert.equal(await codeOf(environments.createEnvironment({ requestId: "r" })), Code.Unavailable);
  assert.equal(timing.pauses.length, 2);
});

Deno.test("withRetries() gives up after a time", async () => {
  const { environments, timing } = clientOf(broken(), ...Array.from({ length: 20 }, refused));
  assert.equal(await codeOf(environments.createEnvironment({ requestId: "r" })), Code.Unknown);
  assert.equal(timing.now(), 10_000);
});
