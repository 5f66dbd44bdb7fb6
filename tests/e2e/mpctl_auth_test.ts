/** What callers may do, asked with mpctl. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createEnvironment } from "@mpc/services";
import { bundleMpctl } from "../../cli/build/bundle.ts";
import { withGuardedDoors } from "../api/guarded_doors.ts";
import { runCommand } from "../servers/run_command.ts";
import { withFolder } from "../servers/with_folder.ts";
import { mpctlCommand, withMpctl } from "./mpctl_world.ts";

const FILE = `bindings:
- role: deployer
  groups: [team-a]
  environments: {names: ['team-a-*'], selector: team=a}
- role: auditor
  principals: ['user:ann@example.com']
- role: admin
  groups: [ops]
`;

const ann = { principal: "user:ann@example.com", groups: ["team-a"], kind: "user" } as const;

Deno.test({
  name: "mpctl auth says what the caller and others may do",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withFolder((folder) =>
      withGuardedDoors({ file: FILE, authenticate: () => ann }, async ({ web, platform }) => {
        const bundle = join(folder, "mpctl.js");
        await bundleMpctl(bundle);
        const mpctl = async (...args: string[]) => {
          const { code, out, err } = await runCommand(
            [...mpctlCommand(bundle), "auth", ...args, "--server", web.origin],
            { env: { NO_COLOR: "1", MPC_CONFIG: join(folder, "config.yaml") } },
          );
          return [code, `${out}${err}`] as const;
        };
        const labels = { team: "a" };
        const request = { environmentId: "team-a-1", environment: { labels } };
        await createEnvironment(platform.deps, platform.caller, request);

        const deploy = ["can-i", "deploy", "workload", "--env"];
        assert.deepEqual(await mpctl(...deploy, "team-a-1"), [
          0,
          "yes: role 'deployer', bound to group:team-a, allows it\n",
        ]);
        assert.deepEqual(await mpctl(...deploy, "prod"), [
          1,
          "no: permission 'workloads.deploy' is missing in environment 'prod'; ask group:ops\n",
        ]);
        assert.deepEqual(await mpctl("can-i", "list", "env"), [
          0,
          "yes: role 'auditor', bound to user:ann@example.com, allows it\n",
        ]);
        const ops = ["--as", "bob@example.com", "--as-group", "ops"];
        assert.equal((await mpctl(...deploy, "prod", ...ops))[0], 0);
        assert.equal((await mpctl(...deploy, "prod", "--as", "bob@example.com"))[0], 1);
        const [code, json] = await mpctl(...deploy, "prod", "-o", "json");
        assert.equal(code, 1);
        assert.deepEqual(JSON.parse(json).grantedBy, ["group:ops"]);
        assert.deepEqual(await mpctl("list"), [
          0,
          "ROLE       WHERE                BOUND TO\n" +
          "auditor    everywhere           user:ann@example.com\n" +
          "deployer   team-a-* -l team=a   group:team-a\n",
        ]);
        assert.deepEqual(await mpctl("list", "--as", "token:ci"), [0, "'token:ci' has no roles\n"]);
        const [usage, unknown] = await mpctl("can-i", "get", "secrets");
        assert.deepEqual([usage, unknown.split(":", 2)[1]], [2, " Cannot ask about 'secrets'"]);
        const [wrong, verb] = await mpctl("can-i", "fly", "workload");
        assert.equal(wrong, 2);
        assert.match(verb, /must be one of environments\.create, /);
      })
    ),
});

Deno.test({
  name: "mpctl auth tells the local user that everything is allowed",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withMpctl(async ({ mpctl }) => {
      const { code, out } = await mpctl("auth", "can-i", "sweep", "platform");
      assert.equal(code, 0);
      assert.equal(out, "yes: the server has no access file, so everything is allowed\n");
    }),
});
