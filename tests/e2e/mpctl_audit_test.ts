/** The audit from its user's view: listed, followed, verified, and written to a file. */
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type PlatformProcess, startPlatform } from "../servers/platform_process.ts";
import { startDeno } from "../servers/subprocess.ts";
import { openWorld } from "./mpctl_world.ts";

const SECRET = "hunter2-planted";

Deno.test({
  name: "mpctl audit lists, follows and verifies, and finds what was changed behind its back",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(await openWorld());
    const data = join(world.directory, "data");
    const log = join(world.directory, "audit.jsonl");
    let platform: PlatformProcess | undefined;
    stack.defer(async () => await platform?.stop());
    const start = async () => {
      platform = await startPlatform(["--data-dir", data, "--audit-log", log]);
    };
    const mpctl = (...words: string[]) => world.run([...words, "--server", platform!.web.origin]);
    await start();

    const follower = startDeno([
      ...world.command.slice(1),
      ...["audit", "--follow", "--since", "1h", "-o", "jsonl"],
      ...["--server", platform!.web.origin],
    ]);
    stack.defer(() => follower.kill("SIGKILL"));
    assert.equal((await mpctl("env", "create", "dev")).code, 0);
    const deploy = ["workload", "deploy", "web", "--env", "dev", "--image", "nginx:1.27"];
    assert.equal((await mpctl(...deploy, "--var", `PASSWORD=${SECRET}`)).code, 0);
    assert.notEqual((await mpctl("env", "delete", "dev")).code, 0);
    await follower.line((line) =>
      line.includes("DeleteEnvironment") && line.includes("FAILED_PRECONDITION") ? line : undefined
    );

    const listed = await mpctl("audit", "--since", "1h", "--method", "DeployWorkload");
    assert.equal(listed.code, 0, listed.err);
    const [header, completed, requested, ...more] = listed.out.trim().split("\n");
    assert.match(header!, /^TIME +ACTOR +METHOD +TARGET +RESULT +REASON$/);
    assert.match(completed!, /local +DeployWorkload +environments\/dev\/workloads\/web +OK/);
    assert.match(requested!, /local +DeployWorkload +environments\/dev\/workloads\/web +requested/);
    assert.deepEqual(more, []);
    const json = await mpctl("audit", "list", "--result", "FAILED_PRECONDITION", "-o", "json");
    assert.match(json.out, /"reason": "ENVIRONMENT_NOT_EMPTY"/);
    const wrong = await mpctl("audit", "--follow", "--limit", "3");
    assert.equal(wrong.code, 2);

    const whole = await mpctl("audit", "verify");
    assert.equal(whole.code, 0, whole.out);
    const [, head = ""] = /✓ \d+ records are in order, up to (\d+:[0-9a-f]{64})/.exec(whole.out) ??
      [];
    assert.equal((await mpctl("audit", "verify", "--expect", head)).code, 0);
    assert.equal((await mpctl("audit", "verify", "--expect", "1:x")).code, 2);

    // A process that dies leaves the store and the file; a change in the store is found.
    await platform!.kill();
    const written = (await readFile(log, "utf8")).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.ok(written.some(({ method }) => method === "mpc.v1.AuditService/WatchAuditRecords"));
    assert.ok(written.some(({ method }) => method === "mpc.v1.WorkloadService/DeployWorkload"));
    assert.ok(!JSON.stringify(written).includes(SECRET), "no secret value is in the file");
    assert.equal((await stat(log)).mode & 0o777, 0o600);
    const database = new DatabaseSync(join(data, "mpc.db"));
    database.exec(`UPDATE audit SET body = json_set(body, '$.actor', 'somebody else')
      WHERE name = (SELECT name FROM audit ORDER BY name LIMIT 1 OFFSET 2)`);
    database.close();
    await start();
    const changed = await mpctl("audit", "verify");
    assert.equal(changed.code, 1);
    assert.match(changed.out, /✗ Record 3 is CHANGED/);
    assert.match(changed.out, /• 2 records are in order, up to 2:/);
    assert.equal((await mpctl("audit", "verify", "-o", "json")).code, 1);
  },
});
