import assert from "node:assert/strict";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Client, Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { uncheckedError } from "@mpc/domain";
import { identify, intercept } from "@mpc/process";
import { EnvironmentSchema, LongRunningOperations } from "@mpc/proto";
import {
  allowEverything,
  type Authorizer,
  createEnvironment,
  type Permission,
} from "@mpc/services";
import { withPlatform } from "@mpc/tests/fakes/platform.ts";
import { failure } from "@mpc/tests/api/doors.ts";
import { mapErrors } from "./interceptors/map_errors.ts";
import { longrunningService } from "./longrunning_service.ts";

/** Runs with a client that may do what `allowed` names, and an operation that created `dev`. */
async function withClient(
  allowed: readonly Permission[],
  use: (client: Client<typeof LongRunningOperations>, name: string) => Promise<void>,
): Promise<void> {
  const decide = <T>(permission: Permission, answer: T): Promise<T> =>
    allowed.includes(permission) ? Promise.resolve(answer) : Promise.reject(
      uncheckedError("PERMISSION_DENIED", "TEST_DENIED", { message: "denied" }),
    );
  const authorizer: Authorizer = {
    ...allowEverything,
    authorize: (_caller, { permission }) => decide(permission, undefined),
    visible: (_caller, permission) => decide(permission, null),
  };
  await withPlatform(async (platform) => {
    const request = { environmentId: "dev", environment: {} };
    const { name } = await platform.ended(
      await createEnvironment(platform.deps, platform.caller, request),
    );
    const implementation = longrunningService({ ...platform.deps, authorizer });
    const transport = createRouterTransport(({ service }) => {
      service(
        LongRunningOperations,
        intercept(LongRunningOperations, implementation, [
          mapErrors(() => "id"),
          identify(() => ({ principal: "ann", groups: [], kind: "user" })),
        ]),
      );
    });
    await use(createClient(LongRunningOperations, transport), name);
  });
}

Deno.test("every method of google.longrunning asks the authorizer", () =>
  withClient([], async (client, existing) => {
    const missing = "operations/00000000-0000-4000-8000-000000000000";
    for (const name of [existing, missing]) {
      for (
        const call of [
          client.getOperation({ name }),
          client.waitOperation({ name }),
          client.cancelOperation({ name }),
          client.listOperations({}),
        ]
      ) {
        assert.equal((await failure(call)).code, Code.PermissionDenied);
      }
      const deletion = await failure(client.deleteOperation({ name }));
      assert.equal(deletion.code, Code.Unimplemented, "whether it exists or not");
    }
  }));

Deno.test("a caller that may not read the resource gets its name and uid alone", () =>
  withClient(["operations.get"], async (client, name) => {
    const { result } = await client.getOperation({ name });
    assert.ok(result.case === "response");
    const environment = anyUnpack(result.value, EnvironmentSchema);
    assert.equal(environment?.name, "environments/dev");
    assert.notEqual(environment.uid, "");
    assert.equal(environment.etag, "");
  }));

Deno.test("a caller that may read the resource gets it", () =>
  withClient(["operations.get", "environments.get"], async (client) => {
    const { operations: [operation] } = await client.listOperations({});
    assert.ok(operation?.result.case === "response");
    assert.notEqual(anyUnpack(operation.result.value, EnvironmentSchema)?.etag, "");
  }));
