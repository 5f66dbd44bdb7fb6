/** What each served method needs is in one table; a method that is missing there is refused. */
import assert from "node:assert/strict";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { intercept } from "@mpc/process";
import { AccessService } from "@mpc/proto";
import { METHOD_NAMES, needOf, PERMISSIONS } from "@mpc/services";
import { failure } from "@mpc/tests/api/doors.ts";
import { openAudit } from "@mpc/tests/fakes/audit.ts";
import { withPlatform } from "@mpc/tests/fakes/platform.ts";
import { quietCalls } from "@mpc/tests/fakes/quiet_calls.ts";
import type { ServerInfo } from "./diagnostics_service.ts";
import { listedMethods } from "./interceptors/listed_methods.ts";
import { mapErrors } from "./interceptors/map_errors.ts";
import { routes } from "./routes.ts";

const INFO: ServerInfo = {
  version: "",
  engine: "",
  storage: "",
  installation: "",
  provider: () => Promise.resolve(""),
};

Deno.test("the table says what every served method needs, and nothing about others", () =>
  withPlatform(({ deps }) => {
    const { routes: served } = routes(deps, INFO, {
      rateLimit: { perSecond: 1, burst: 1 },
      authenticate: () => ({ principal: "ann", groups: [], kind: "user" }),
      audit: openAudit(deps),
      ...quietCalls(deps),
    });
    const methods = served.flatMap(({ service }) =>
      service.methods.map(({ name }) => `${service.typeName}/${name}`)
    );
    assert.deepEqual(methods.filter((name) => !METHOD_NAMES.includes(name)), [], "are missing");
    assert.deepEqual(METHOD_NAMES.filter((name) => !methods.includes(name)), [], "are not served");
    return Promise.resolve();
  }));

Deno.test("every permission is needed by a method of the table, or by what a method does", () => {
  const needed = new Set(METHOD_NAMES.map((name) => {
    const [service = "", method = ""] = name.split("/");
    return needOf(service, method)?.needs;
  }));
  // Asking about others is a matter of the request.
  const elsewhere = ["access.check"];
  assert.deepEqual(PERMISSIONS.filter((it) => !needed.has(it) && !elsewhere.includes(it)), []);
});

Deno.test("a method that the table does not have is refused", async () => {
  const unlisted = { ...AccessService, typeName: "mpc.v1.UnlistedService" };
  const transport = createRouterTransport(({ service }) => {
    service(
      AccessService,
      intercept(unlisted, { whoAmI: () => ({}) }, [mapErrors(() => "id"), listedMethods]),
    );
  });
  const error = await failure(createClient(AccessService, transport).whoAmI({}));
  assert.equal(error.code, Code.PermissionDenied);
  assert.equal(needOf("mpc.v1.UnlistedService", "WhoAmI"), undefined);
  assert.equal(needOf("constructor", ""), undefined);
});
