/** mpctl from its user's view: environments, workloads and operations. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { eventually } from "../servers/eventually.ts";
import { type Cases, testMpctl } from "./mpctl_world.ts";

const CASES: Cases = [
  ["env create waits, shows each step and prints the environment", async ({ mpctl }) => {
    const { code, out, err } = await mpctl(
      "env",
      "create",
      "dev",
      "--ttl",
      "8h",
      "--label",
      "team=web",
    );
    assert.equal(code, 0, err);
    assert.match(out, /^NAME +STATE +EXPIRES +LABELS +AGE\ndev +READY +7h59m +team=web +\d+m?s\n$/);
    assert.match(err, /✓ create_namespace succeeded.*\n✓ apply_policies succeeded/);
  }],
  [
    "global flags may stand before the noun and before the verb",
    async ({ run, web }) => {
      const places = [
        ["--server", web, "-o", "name", "env", "list"],
        ["env", "--server", web, "-o", "name", "list"],
        // The flag nearest to the command wins.
        ["-o", "json", "env", "list", "-o", "name", "--server", web],
      ];
      for (const args of places) {
        const { code, out, err } = await run(args);
        assert.equal(code, 0, err);
        assert.equal(out, "environments/dev\n", args.join(" "));
      }
    },
  ],
  ["the commands that the server prints can be run unchanged", async ({ run, platform }) => {
    const printed = /deno task mpctl (.* op list)/.exec(platform.process.output())?.[1] ?? "";
    const { code, err } = await run(printed.split(" "));
    assert.equal(code, 0, `'${printed}': ${err}`);
  }],
  ["workload deploy waits for the rollout", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:1.27", "--replicas", "2", "--port", "80"];
    const { code, out, err } = await mpctl("workload", "deploy", "web", ...args);
    assert.equal(code, 0, err);
    assert.match(out, /web +dev +READY +2\/2 +nginx:1\.27 +1 /);
  }],
  [
    "a failed deployment exits with 3 and reports the step, the reason and what to do next",
    async ({ mpctl }) => {
      const args = ["--env", "dev", "--image", "nginx:missing"];
      const { code, err } = await mpctl("workload", "deploy", "bad", ...args);
      assert.equal(code, 3);
      assert.match(err, /✗ await_rollout failed/);
      assert.match(err, /IMAGE_PULL_FAILED: .*ErrImagePull/);
      const id = /mpctl op explain (\S+)'/.exec(err)?.[1] ?? "";
      const explained = await mpctl("op", "explain", id);
      assert.match(explained.out, /failed at step 'await_rollout'; undone: apply_workload/);
      assert.match(
        explained.out,
        /Who must act: caller\nWhat to do: Check the image's name .*\nNext: mpctl workload deploy bad --env dev/,
      );
    },
  ],
  [
    "while a rollout waits, get and explain say what for, and who must act",
    async ({ mpctl }) => {
      const args = ["--env", "dev", "--image", "nginx:stuck", "--no-wait", "-o", "json"];
      const { out } = await mpctl("workload", "deploy", "stuck", ...args);
      const id = JSON.parse(out).name.replace("operations/", "");
      await eventually("the rollout waits", async () => {
        const got = await mpctl("workload", "get", "stuck", "--env", "dev");
        assert.match(
          got.out,
          /^NAME[\s\S]*DEPLOYING[\s\S]*\n▸ await_rollout runs: 0 of 1 replica ready; /,
        );
        assert.match(
          got.out,
          /'stuck-r1-1': Unhealthy: Readiness probe failed: .*statuscode: 503\n/,
        );
        assert.match(got.out, new RegExp(`Next: mpctl op explain ${id}\n$`));
      });
      const explained = await mpctl("op", "explain", id);
      assert.match(explained.out, /runs step 'await_rollout': 0 of 1 .* Readiness probe failed/);
      assert.match(
        explained.out,
        /Who must act: caller\n.*\nNext: mpctl workload logs stuck --env dev\n/,
      );
      const removed = await mpctl("workload", "delete", "stuck", "--env", "dev");
      assert.equal(removed.code, 0, removed.err);
    },
  ],
  ["a flaky image shows its retries and succeeds", async ({ mpctl }) => {
    const { code, err } = await mpctl(
      "workload",
      "deploy",
      "flaky",
      "--env",
      "dev",
      "--image",
      "x:flaky",
    );
    assert.equal(code, 0, err);
    // The pauses are random, and so is which of them a watcher sees. The record has them all.
    const { out } = await mpctl("op", "list", "-o", "json", "--limit", "1");
    const attempts = JSON.parse(out)[0].steps[0].attempts;
    assert.deepEqual(
      attempts.map(({ error }: { error?: { reason: string } }) => error?.reason),
      ["CLUSTER_FAILED", "CLUSTER_FAILED", undefined],
    );
  }],
  ["-o json, yaml and name are for programs", async ({ mpctl }) => {
    const json = JSON.parse((await mpctl("env", "get", "dev", "-o", "json")).out);
    assert.equal(json.name, "environments/dev");
    assert.equal(json.state, "ENVIRONMENT_STATE_READY");
    assert.match(
      (await mpctl("env", "get", "dev", "-o", "yaml")).out,
      /^name: environments\/dev$/m,
    );
    assert.equal((await mpctl("env", "list", "-o", "name")).out, "environments/dev\n");
  }],
  ["gRPC addresses work like web addresses", async ({ mpctl, grpc }) => {
    const { code, out, err } = await mpctl("env", "list", "--server", grpc);
    assert.equal(code, 0, err);
    assert.match(out, /dev +READY/);
  }],
  ["messages of a stream are separate YAML documents", async ({ mpctl }) => {
    const args = ["deploy", "chatty", "--env", "dev", "--image", "nginx:1.27", "--replicas", "2"];
    assert.equal((await mpctl("workload", ...args)).code, 0);
    const { out } = await mpctl("workload", "logs", "chatty", "--env", "dev", "-o", "yaml");
    const lines = parseAllDocuments(out).map((document) => document.toJS());
    assert.ok(lines.length >= 2, `a document for each line, not: ${out}`);
    assert.ok(lines.every(({ text }) => typeof text === "string"));
    assert.equal((await mpctl("workload", "delete", "chatty", "--env", "dev")).code, 0);
  }],
  ["the version is available to programs too", async ({ mpctl }) => {
    const { code, out, err } = await mpctl("version", "--all", "-o", "json");
    assert.equal(code, 0, err);
    const { mpctl: own, server } = JSON.parse(out);
    assert.match(own.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual([server.engine, server.storage, server.provider], [
      "embedded",
      "memory",
      "simulated",
    ]);
  }],
  ["a file deploys", async ({ mpctl, directory }) => {
    const path = join(directory, "good.yaml");
    await writeFile(
      path,
      "labels: {tier: web}\nspec:\n  image: nginx:1\n  replicas: 2\n  ports: [{port: 80}]\n",
    );
    const { code, err } = await mpctl("workload", "deploy", "filed", "--env", "dev", "-f", path);
    assert.equal(code, 0, err);
  }],
  ["--dry-run shows the plan and changes nothing", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:1.28", "--dry-run"];
    const { code, out } = await mpctl("workload", "deploy", "web", ...args);
    assert.equal(code, 0);
    assert.match(out, /~ Deployment\/dev\/web\n +spec\.image: "nginx:1\.27" → "nginx:1\.28"/);
    assert.match(out, /Plan hash: \S+/);
    assert.match((await mpctl("workload", "get", "web", "--env", "dev")).out, /nginx:1\.27/);
  }],
  ["deploy changes the given fields, --replace resets the others", async ({ mpctl }) => {
    const deploy = (...args: string[]) =>
      mpctl("workload", "deploy", "kept", "--env", "dev", ...args);
    const spec = async () =>
      JSON.parse((await mpctl("workload", "get", "kept", "--env", "dev", "-o", "json")).out).spec;
    const given = ["--replicas", "2", "--port", "80", "--var", "A=1", "--cpu", "100m"];
    assert.equal((await deploy("--image", "nginx:1", ...given)).code, 0);
    const before = await spec();
    assert.equal((await deploy("--image", "nginx:2", "--memory", "64Mi", "--var", "B=2")).code, 0);
    assert.deepEqual(await spec(), {
      ...before,
      image: "nginx:2",
      env: { A: "(redacted)", B: "(redacted)" },
      resources: { cpu: "100m", memory: "64Mi" },
    });
    const parts = ["--health-path", "/ready", "--host", "a.example.com", "--tls-secret", "t"];
    assert.equal((await deploy(...parts, "--host-path", "/x")).code, 0);
    assert.equal((await deploy("--health-port", "80", "--host", "b.example.com")).code, 0);
    const { healthCheck, ingress } = await spec();
    assert.deepEqual([healthCheck.path, healthCheck.port], ["/ready", 80]);
    assert.deepEqual(
      [ingress.host, ingress.path, ingress.tlsSecret],
      ["b.example.com", "/x", "t"],
    );
    assert.equal((await deploy("--image", "nginx:3", "--replace")).code, 0);
    const { ports, env, replicas } = await spec();
    assert.deepEqual({ ports, env, replicas }, { ports: undefined, env: undefined, replicas: 1 });
    assert.equal((await mpctl("workload", "delete", "kept", "--env", "dev")).code, 0);
  }],
  ["scale, history, diff and rollback", async ({ mpctl }) => {
    assert.equal(
      (await mpctl("workload", "scale", "web", "--env", "dev", "--replicas", "3")).code,
      0,
    );
    const history = await mpctl("workload", "history", "web", "--env", "dev");
    assert.match(history.out, /^2 +yes .*\n1 +no /m);
    const diff = await mpctl("workload", "diff", "web", "1", "2", "--env", "dev");
    assert.deepEqual([diff.code, diff.out], [8, "- replicas: 2\n+ replicas: 3\n"]);
    const rollback = ["workload", "rollback", "web", "--env", "dev"];
    const same = await mpctl(...rollback);
    assert.notEqual(same.code, 0, "no revision has another spec");
    assert.match(same.err, /no revision before 2 has another spec/);
    assert.equal((await mpctl(...rollback, "--to", "1", "--replicas", "2")).code, 0);
    assert.match((await mpctl("workload", "get", "web", "--env", "dev")).out, /2\/2 .* 3 /);
  }],
  ["pods and events show the cluster's state, reconcile applies again", async ({ mpctl }) => {
    const pods = await mpctl("workload", "pods", "web", "--env", "dev");
    assert.match(
      pods.out,
      /^NAME +READY +STATUS +RESTARTS +NODE .*\nweb-\S+ +yes +Running +0 +node-/,
    );
    const events = await mpctl("workload", "events", "web", "--env", "dev", "-o", "json");
    const [first] = JSON.parse(events.out);
    assert.deepEqual([first.reason, /^Pod\/dev\/web-/.test(first.object)], ["Scheduled", true]);
    assert.equal((await mpctl("workload", "reconcile", "web", "--env", "dev")).code, 0);
    assert.equal((await mpctl("workload", "pods", "nobody", "--env", "dev")).code, 7);
    const everywhere = await mpctl("workload", "pods", "-A");
    assert.match(everywhere.out, /^ENV +WORKLOAD +NAME +READY /);
    assert.match(everywhere.out, /^dev +web +web-r/m);
    const names = await mpctl("workload", "pods", "--env", "dev", "-o", "name");
    assert.match(names.out, /^web-r/m);
  }],
  ["--no-wait returns at once, op watch follows, op cancel undoes", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:stuck", "--no-wait", "-o", "name"];
    const { out } = await mpctl("workload", "deploy", "slow", ...args);
    const id = out.trim().slice("operations/".length);
    const dry = await mpctl("op", "cancel", id, "--dry-run");
    assert.match(dry.out, /then: .*workload 'slow' is deleted with all its objects/);
    const timeout = await mpctl("op", "watch", id, "--timeout", "100ms");
    assert.equal(timeout.code, 5, timeout.err);
    assert.equal((await mpctl("op", "cancel", id, "--reason", "tested")).code, 0);
    assert.equal((await mpctl("op", "watch", id)).code, 4, "what is already over ends at once");
    assert.equal((await mpctl("workload", "get", "slow", "--env", "dev")).code, 7);
    assert.match((await mpctl("op", "get", id.slice(-8))).out, /CANCELLED/);
  }],
  ["flags of env create change parts of its file", async ({ mpctl, directory }) => {
    const path = join(directory, "filed.yaml");
    await writeFile(path, 'labels: {a: "1"}\nannotations: {n: "1"}\nquota: {cpu: "4"}\n');
    const flags = ["--label", "b=2", "--max-memory", "8Gi", "--ttl", "1h"];
    assert.equal((await mpctl("env", "create", "filed", "-f", path, ...flags)).code, 0);
    const found = JSON.parse((await mpctl("env", "get", "filed", "-o", "json")).out);
    assert.deepEqual(
      [found.labels, found.annotations, found.quota],
      [{ a: "1", b: "2" }, { n: "1" }, { cpu: "4", memory: "8Gi" }],
    );
    assert.equal((await mpctl("env", "delete", "filed")).code, 0);
  }],
  ["env update, extend and keep", async ({ mpctl }) => {
    assert.equal((await mpctl("env", "update", "dev", "--protect", "--max-cpu", "4")).code, 0);
    const refused = await mpctl("env", "delete", "dev", "--force");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /it is protected/);
    assert.equal((await mpctl("env", "update", "dev", "--ttl", "2h")).code, 0);
    const extended = await mpctl("env", "extend", "dev", "30m", "-o", "name");
    assert.equal(extended.code, 0, extended.err);
    assert.match((await mpctl("env", "get", "dev")).out, / 2h(29|30)m? /);
    assert.equal((await mpctl("env", "keep", "dev")).code, 0);
    const forever = await mpctl("env", "extend", "dev", "30m");
    assert.deepEqual([forever.code, forever.err], [
      1,
      "Error: Cannot extend 'dev': it never expires\n",
    ]);
    const wide = await mpctl("env", "get", "dev", "-o", "wide");
    assert.match(wide.out, /dev +READY +- +team=web +\S+ +yes +default +cpu=4/);
    assert.equal((await mpctl("env", "update", "dev", "--no-protect")).code, 0);
  }],
  ["env update changes the entries that it names, and keeps to an etag", async ({ mpctl }) => {
    const label = (key: string) => ["-o", `jsonpath=$.labels['${key}']`];
    const key = "example.com/Tier_1";
    const update = ["env", "update", "dev", "--label", `${key}=front`, "--annotation", "note=a"];
    assert.equal((await mpctl(...update)).code, 0);
    assert.equal((await mpctl("env", "get", "dev", ...label(key))).out, "front\n");
    assert.equal((await mpctl("env", "get", "dev", ...label("team"))).out, "web\n");
    const quoted = await mpctl("env", "list", "--filter", `labels."${key}" = front`, "-o", "name");
    assert.equal(quoted.out, "environments/dev\n");
    const stale = await mpctl("env", "update", "dev", "--remove-label", key, "--etag", "x-1");
    assert.deepEqual([stale.code, /its etag is '.+', the request has 'x-1'/.test(stale.err)], [
      6,
      true,
    ]);
    const etag = (await mpctl("env", "get", "dev", "-o", "jsonpath=$.etag")).out.trim();
    const removal = ["--remove-label", key, "--remove-annotation", "note", "--etag", etag];
    const removed = await mpctl("env", "update", "dev", ...removal);
    assert.equal(removed.code, 0, removed.err);
    assert.equal((await mpctl("env", "get", "dev", ...label(key))).out.trim(), "");
    const none = await mpctl("workload", "delete", "none", "--env", "dev", "--etag", "*");
    assert.equal(none.code, 7);
  }],
  ["a change that would exceed a quota is rejected", async ({ mpctl }) => {
    const args = ["--env", "dev", "--image", "nginx:1", "--cpu", "3", "--replicas", "2"];
    const { code, err } = await mpctl("workload", "deploy", "big", ...args);
    assert.equal(code, 1);
    assert.match(err, /would use 6500m of cpu, its quota is 4/);
  }],
  ["doctor finds nothing wrong", async ({ mpctl }) => {
    const { code, out } = await mpctl("doctor");
    assert.equal(code, 0, out);
  }],
  ["top shows the calls by method, and op get where the time went", async ({ mpctl }) => {
    const { code, out, err } = await mpctl("top");
    assert.equal(code, 0, err);
    assert.match(out, /^mpc \S+ at http:\S+ \(embedded, \S+, simulated\), up \d/);
    assert.match(out, /^Operations: 0 running, 0 waiting$/m);
    assert.match(out, /^EnvironmentService\/GetEnvironment +\d\S*\/s +\d+ +0 +\S+ms? +\S+$/m);
    const { methods } = JSON.parse((await mpctl("top", "-o", "json")).out);
    assert.ok(methods.length > 3);
    const id = (await mpctl("op", "list", "--filter", "state = SUCCEEDED", "-o", "name")).out
      .split("\n")[0]!;
    const shown = await mpctl("op", "get", id);
    assert.match(shown.out, /^Where the time went, .* in all:\n {2}\(waited to begin\)/m);
  }],
  ["env delete requires --force if there are workloads", async ({ mpctl }) => {
    const refused = await mpctl("env", "delete", "dev");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /it has \d+ workloads; delete them first, or use --force/);
    const { code, err } = await mpctl("env", "delete", "dev", "--force");
    assert.equal(code, 0, err);
    assert.equal((await mpctl("env", "delete", "dev", "--ignore-not-found")).code, 0);
  }],
];

testMpctl("mpctl", CASES);
