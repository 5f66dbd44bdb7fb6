/** Conflicts and a deleted namespace on a real API server: the recommended commands lead out. */
import assert from "node:assert/strict";
import { type OpenWorld, openWorld } from "../e2e/mpctl_world.ts";
import { type Kubectl, kubectlOf } from "../servers/kubectl.ts";
import type { KubeApiServer } from "../servers/kube_api_server.ts";
import { startKwokCluster } from "../servers/kwok_cluster.ts";

let folder: string;
let server: KubeApiServer;
let kubectl: Kubectl;
let world: OpenWorld;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "mpc-remedies-" });
  server = await startKwokCluster(folder, 2);
  kubectl = await kubectlOf(server.kubeconfig);
  const file = `${folder}/clusters.yaml`;
  const clusters = [{ name: "default", kubeconfig: server.kubeconfig }];
  await Deno.writeTextFile(file, JSON.stringify({ clusters }));
  world = await openWorld({ platformArgs: ["--clusters-file", file] });
});

Deno.test.afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await server?.stop();
  await Deno.remove(folder, { recursive: true });
});

/** Runs a command of mpctl that must succeed. */
async function mpctl(command: string): Promise<string> {
  const { code, out, err } = await world.mpctl(...command.split(" "));
  assert.equal(code, 0, `mpctl ${command}: ${err}`);
  return out;
}

interface Explained {
  readonly next: string;
  readonly err: string;
  readonly id: string;
}

/** Runs a command whose operation fails without leaving anything. @returns what explain says */
async function fails(command: string, reason: string): Promise<Explained> {
  const { code, err } = await world.mpctl(...command.split(" "));
  assert.equal(code, 3, err);
  assert.match(err, new RegExp(`  ${reason}: `));
  assert.doesNotMatch(err, /left behind/);
  const [, id = ""] = /mpctl op explain (\S+?)'/.exec(err) ?? [];
  const { state } = JSON.parse(await mpctl(`op get ${id} -o json`));
  assert.equal(state, "OPERATION_STATE_FAILED", "nobody must clean up");
  const { nextCommand } = JSON.parse(await mpctl(`op explain ${id} -o json`));
  return { next: nextCommand.replace(/^mpctl /, ""), err, id };
}

const test = (name: string, fn: () => Promise<void>) =>
  // The platform's output is read in the background.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false, fn });

test("an update of an environment whose labels another manager has changed leaves nothing, and can take them over", async () => {
  await mpctl("env create labels --label team=web --max-cpu 4");
  await kubectl([
    ...["label", "namespace", "labels", "team=theirs", "--overwrite", "--field-manager=other"],
  ]);
  const planned = await world.mpctl(..."env update labels --label team=ours --dry-run".split(" "));
  assert.match(planned.err, /'other' manages .*take them over with --force-conflicts/s);
  await mpctl("env update labels --label team=ours --dry-run --force-conflicts");
  const { next } = await fails("env update labels --label team=ours", "FIELD_CONFLICT");
  assert.match(next, /^op retry \S+ --force-conflicts$/);
  await mpctl(next);
  assert.match(await kubectl(["get", "namespace", "labels", "-o", "yaml"]), /team: ours/);
  await mpctl("env update labels --label team=again");
});

test("a conflict at a later object undoes what was changed before it, and nothing else", async () => {
  await mpctl("env create quota --label team=web --max-cpu 4");
  const [quota = ""] = (await kubectl(["get", "resourcequota", "-n", "quota", "-o", "name"]))
    .split("\n");
  await kubectl([
    ...["patch", quota, "-n", "quota", "--type=merge", "--field-manager=other"],
    ...["-p", '{"spec":{"hard":{"requests.cpu":"7"}}}'],
  ]);
  const { err } = await fails(
    "env update quota --label team=search --max-cpu 5",
    "FIELD_CONFLICT",
  );
  assert.match(err, /apply_policies/);
  assert.match(await kubectl(["get", "namespace", "quota", "-o", "yaml"]), /team: web/);
  await mpctl("env update quota --label team=search --max-cpu 5 --force-conflicts");
  assert.equal((await world.mpctl("doctor")).code, 0);
});

test("a deployment that conflicts leaves the revision before, and can take the fields over", async () => {
  await mpctl("env create image");
  await mpctl("workload deploy web --env image --image nginx:1.27 --port 8080");
  await kubectl(["set", "image", "deployment/web", "web=example.com/other:1", "-n", "image"]);
  const { next } = await fails(
    "workload deploy web --env image --image nginx:1.28 --var KEY=value",
    "FIELD_CONFLICT",
  );
  assert.equal(await kubectl(["get", "secrets", "-n", "image", "-o", "name"]), "", "none is left");
  await mpctl(next);
  const { spec } = JSON.parse(await mpctl("workload get web --env image -o json"));
  assert.equal(spec.image, "nginx:1.28");
  assert.match(
    await kubectl(["get", "deployment", "web", "-n", "image", "-o", "yaml"]),
    /image: nginx:1\.28/,
  );
});

test("after its namespace was deleted, an environment is repaired by the command of explain", async () => {
  await mpctl("env create gone");
  await mpctl("workload deploy web --env gone --image nginx:1.27");
  await kubectl(["delete", "namespace", "gone"]);
  const { next, id } = await fails(
    "workload deploy web --env gone --image nginx:1.28",
    "NO_NAMESPACE",
  );
  assert.equal(next, "env update gone");
  await mpctl(next);
  await mpctl(`op retry ${id}`);
  assert.equal((await world.mpctl("doctor")).code, 0);
});
