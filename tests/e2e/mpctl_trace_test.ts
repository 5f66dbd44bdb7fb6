/** `mpctl --trace` needs no collector, on every runtime. */
import assert from "node:assert/strict";
import { NO_SANITIZERS } from "../servers/no_sanitizers.ts";
import { type Runtime, withMpctl } from "./mpctl_world.ts";

for (const runtime of ["deno", "node"] satisfies readonly Runtime[]) {
  Deno.test(
    `--trace prints what took how long, by ${runtime}`,
    NO_SANITIZERS,
    () =>
      withMpctl(async ({ mpctl, run, grpc }) => {
        const created = await mpctl("env", "create", "dev", "--trace", "-o", "name");
        assert.deepEqual([created.code, created.out], [0, "environments/dev\n"]);
        const [, traceId = ""] = /^Trace ([0-9a-f]{32}) /m.exec(created.err) ?? [];
        assert.match(created.err, /\(mpctl's spans are not exported: no OpenTelemetry in this/);
        const tree = created.err.slice(created.err.indexOf("mpctl env create"))
          .replaceAll(/ +\d[\dms. ]*$/gm, " 1ms");
        assert.equal(
          tree,
          `mpctl env create 1ms
├─ EnvironmentService/CreateEnvironment 1ms
├─ OperationService/WatchOperation 1ms
├─ EnvironmentService/GetEnvironment 1ms
└─ environment.create of environments/dev SUCCEEDED 1ms
   ├─ waits to begin 1ms
   ├─ create_namespace 1ms
   └─ apply_policies 1ms
`,
        );
        const audit = await mpctl("audit", "list", "-o", "json");
        assert.match(audit.out, new RegExp(`"traceparent": *"00-${traceId}-[0-9a-f]{16}-01"`));

        const byGrpc = await run([
          "env",
          "update",
          "dev",
          "--label",
          "a=b",
          "--trace",
          "--server",
          grpc,
        ]);
        const [, other = ""] = /^Trace ([0-9a-f]{32}) /m.exec(byGrpc.err) ?? [];
        assert.equal(byGrpc.code, 0, byGrpc.err);
        const after = await mpctl("audit", "list", "-o", "json");
        assert.match(after.out, new RegExp(`"traceparent": *"00-${other}-[0-9a-f]{16}-01"`));

        const failed = await mpctl("env", "get", "missing", "--trace");
        assert.equal(failed.code, 7);
        assert.match(failed.err, /└─ EnvironmentService\/GetEnvironment NOT_FOUND +\d/);
        const listed = await mpctl("env", "list", "--trace");
        assert.match(listed.err, /└─ EnvironmentService\/ListEnvironments +\d/);
        const quiet = await mpctl("env", "get", "dev");
        assert.doesNotMatch(quiet.err, /Trace/);
      }, { runtime, platformArgs: ["--simulated-delays=none"] }),
  );
}
