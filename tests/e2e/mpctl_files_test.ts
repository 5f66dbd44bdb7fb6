/** mpctl's apply, plan and diff: files compared with the platform. */
import assert from "node:assert/strict";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testMpctl } from "./mpctl_world.ts";

const ENVIRONMENT = `name: environments/shop
labels: {team: shop}
ttl: 28800s
quota: {cpu: "4"}
`;

/** Aliases of aliases: a few lines that expand to a billion values. */
const ENDLESS = Array.from({ length: 9 }, (_, level) => {
  const below = level === 0 ? "x" : `*a${level - 1}`;
  return `a${level}: &a${level} [${Array(10).fill(below).join(", ")}]\n`;
}).join("");

const workload = (id: string, image: string, more = "") =>
  `name: environments/shop/workloads/${id}
labels: {team: shop}
spec:
  image: ${image}
  replicas: 2
  ports: [{port: 80}]
  env: {PASSWORD: hunter2}
${more}`;

testMpctl("mpctl with files", [
  ["plan shows what apply would do, and changes nothing", async ({ mpctl, directory }) => {
    // The workload comes first in the file: the order does not matter.
    const path = join(directory, "shop.yaml");
    await writeFile(path, `${workload("web", "nginx:1.27")}---\n${ENVIRONMENT}`);
    const { code, out } = await mpctl("plan", "-f", path);
    assert.equal(code, 0);
    assert.match(out, /^\+ environments\/shop\n {4}labels\.team: \(none\) → shop\n/);
    assert.match(out, /\+ Namespace\/shop\n/);
    assert.match(out, /2 to create, 0 to change, 0 to delete, 0 unchanged\n$/);
    assert.equal((await mpctl("env", "get", "shop")).code, 7, "nothing was created");
  }],
  ["diff exits with 8 if there are differences", async ({ mpctl, directory }) => {
    const { code, out } = await mpctl("diff", "-f", join(directory, "shop.yaml"));
    assert.equal(code, 8);
    assert.match(out, /\+ environments\/shop\/workloads\/web/);
    assert.match(out, /spec\.image: \(none\) → nginx:1\.27\n/);
    assert.match(out, /spec\.env\.PASSWORD: \(none\) → \(redacted\)\n/);
  }],
  ["apply creates environments first and waits; then nothing differs", async (world) => {
    const { mpctl, directory } = world;
    const path = join(directory, "shop.yaml");
    const { code, out, err } = await mpctl("apply", "-f", path);
    assert.equal(code, 0, err);
    assert.equal(out, "environments/shop created\nenvironments/shop/workloads/web created\n");
    const diff = await mpctl("diff", "-f", path);
    assert.deepEqual([diff.code, diff.out], [0, ""]);
    const again = await mpctl("apply", "-f", path);
    assert.equal(
      again.out,
      "environments/shop unchanged\nenvironments/shop/workloads/web unchanged\n",
    );
  }],
  ["apply updates what differs, even if only a secret does", async ({ mpctl, directory }) => {
    const path = join(directory, "web.yaml");
    await writeFile(path, workload("web", "nginx:1.27").replace("hunter2", "hunter3"));
    const diff = await mpctl("diff", "-f", path, "-o", "json");
    assert.equal(diff.code, 8);
    assert.doesNotMatch(diff.out, /hunter/, "secret values are not shown");
    const { out } = await mpctl("apply", "-f", path);
    assert.equal(out, "environments/shop/workloads/web configured\n");
  }],
  ["the output of get can be applied unchanged", async ({ mpctl, run, web }) => {
    const { out: yaml } = await mpctl("workload", "list", "-A", "-o", "yaml");
    const { code, out, err } = await run(["apply", "-f", "-", "--server", web], { stdin: yaml });
    assert.deepEqual([code, out], [0, "environments/shop/workloads/web unchanged\n"], err);
  }],
  ["--prune deletes resources that the labels select and no file contains", async (world) => {
    const { mpctl, directory } = world;
    const folder = join(directory, "platform");
    await mkdir(folder);
    await writeFile(join(folder, "1.yaml"), ENVIRONMENT);
    await writeFile(
      join(folder, "2.json"),
      JSON.stringify({
        name: "environments/shop/workloads/api",
        labels: { team: "shop" },
        spec: { image: "api:1" },
      }),
    );
    await writeFile(join(folder, "notes.txt"), "not read");
    await mpctl("env", "create", "other", "--label", "team=other");
    const prune = ["-f", folder, "--prune", "-l", "team=shop"];
    const plan = await mpctl("apply", ...prune, "--dry-run");
    assert.match(plan.out, /^- environments\/shop\/workloads\/web\n/m);
    const { code, out, err } = await mpctl("apply", ...prune);
    assert.equal(code, 0, err);
    assert.equal(
      out,
      "environments/shop unchanged\nenvironments/shop/workloads/api created\n" +
        "environments/shop/workloads/web pruned\n",
    );
    assert.equal((await mpctl("env", "list", "-o", "name")).out.split("\n").length, 3);
  }],
  ["subfolders are read, so that --prune keeps their resources", async (world) => {
    const { mpctl, directory } = world;
    const folder = join(directory, "nested");
    await mkdir(join(folder, "deep", "er"), { recursive: true });
    await mkdir(join(folder, ".git"));
    await writeFile(join(folder, ".git", "broken.yaml"), "name: [");
    await writeFile(join(folder, "a.yaml"), "name: environments/top\nlabels: {nest: x}\n");
    await writeFile(
      join(folder, "deep", "er", "b.yaml"),
      "name: environments/bottom\nlabels: {nest: x}\n",
    );
    const { code, err } = await mpctl("apply", "-f", folder);
    assert.equal(code, 0, err);
    const { out } = await mpctl("apply", "-f", folder, "--prune", "-l", "nest=x");
    assert.equal(out, "environments/top unchanged\nenvironments/bottom unchanged\n");
  }],
  ["a prune that the server would reject fails before anything changes", async (world) => {
    const { mpctl, directory } = world;
    await mpctl("env", "create", "kept", "--label", "gone=x", "--protect");
    const path = join(directory, "new.yaml");
    await writeFile(path, "name: environments/new\nlabels: {gone: x}\n");
    for (const more of [["--dry-run"], []]) {
      const prune = ["-f", path, "--prune", "-l", "gone=x", ...more];
      const { code, err } = await mpctl("apply", ...prune);
      assert.notEqual(code, 0);
      assert.match(err, /'kept'.*protect/);
      assert.equal((await mpctl("env", "get", "new")).code, 7, "nothing was created");
    }
    await mpctl("env", "update", "kept", "--no-protect");
    await mpctl("workload", "deploy", "other", "--env", "kept", "--image", "nginx:1");
    const { code, err } = await mpctl("apply", "-f", path, "--prune", "-l", "gone=x");
    assert.notEqual(code, 0, "a workload without the label is in it");
    assert.match(err, /'kept'.*workload/);
    const label = ["other", "--env", "kept", "--label", "gone=x"];
    await mpctl("workload", "deploy", ...label);
    const { out } = await mpctl("apply", "-f", path, "--prune", "-l", "gone=x");
    assert.match(out, /new created\n.*workloads\/other pruned\n.*kept pruned\n$/s);
  }],
  ["a ttl or an expire time in a file is applied and compared", async ({ mpctl, directory }) => {
    const path = join(directory, "expiring.yaml");
    const apply = async (text: string) => {
      await writeFile(path, `name: environments/expiring\n${text}`);
      const diff = await mpctl("diff", "-f", path);
      const { out, err } = await mpctl("apply", "-f", path);
      return { out: out.trim().split(" ").at(-1), err, diff };
    };
    const expiry = async () => {
      const { out } = await mpctl("env", "get", "expiring", "-o", "json");
      const { createTime, expireTime = "" } = JSON.parse(out);
      return {
        expireTime,
        seconds: Math.round((Date.parse(expireTime) - Date.parse(createTime)) / 1_000),
      };
    };
    const later = new Date(Date.now() + 40 * 86_400_000).toISOString();
    assert.equal((await apply("ttl: 7200s\n")).out, "created");
    assert.equal((await apply("ttl: 7200s\n")).out, "unchanged", "it is not extended");
    const longer = await apply("ttl: 10800s\n");
    assert.match(longer.diff.out, /expireTime: \S+ → \S+/);
    assert.equal(longer.out, "configured");
    assert.equal((await expiry()).seconds, 10_800);
    assert.equal((await apply("")).out, "unchanged", "a file that says nothing leaves it");
    assert.equal((await apply(`expireTime: "${later}"\n`)).out, "configured");
    // Protobuf's JSON leaves out milliseconds that are zero.
    assert.equal(Date.parse((await expiry()).expireTime), Date.parse(later));
    const past = await apply('expireTime: "2020-02-03T04:05:06Z"\n');
    assert.match(past.err, /expire_time/);
    await mpctl("env", "delete", "expiring");
  }],
  ["an etag in a file must match", async ({ mpctl, directory }) => {
    await mpctl("env", "create", "tagged");
    const path = join(directory, "tagged.yaml");
    await writeFile(path, (await mpctl("env", "get", "tagged", "-o", "yaml")).out);
    assert.equal((await mpctl("apply", "-f", path)).code, 0);
    await mpctl("env", "update", "tagged", "--label", "by=somebody");
    const { code, err } = await mpctl("apply", "-f", path);
    assert.equal(code, 6, err);
    const shown = await mpctl("env", "get", "tagged", "-o", "yaml");
    assert.match(shown.out, /by: somebody/, "their change is kept");
    await mpctl("env", "delete", "tagged");
    const gone = await mpctl("apply", "-f", path);
    assert.deepEqual([gone.code, /has an etag/.test(gone.err)], [7, true]);
  }],
  ["apply of a saved plan makes exactly its changes, or none", async ({ mpctl, directory }) => {
    const path = join(directory, "planned.yaml");
    const plan = join(directory, "plan.json");
    await mpctl("env", "create", "surplus", "--label", "plan=x");
    await writeFile(path, "name: environments/planned\nlabels: {plan: x}\n");
    const prune = ["-f", path, "--prune", "-l", "plan=x"];
    const shown = await mpctl("plan", ...prune, "--out", plan);
    assert.deepEqual([shown.code, /1 to create.*1 to delete/.test(shown.out)], [0, true]);
    assert.equal((await stat(plan)).mode & 0o777, 0o600, "it holds values of variables");
    await mpctl("env", "create", "late", "--label", "plan=x");
    const moved = await mpctl("apply", plan);
    assert.equal(moved.code, 6, moved.err);
    assert.match(moved.err, /environments\/late/);
    assert.equal((await mpctl("env", "get", "planned")).code, 7, "nothing was done");
    await mpctl("env", "delete", "late");
    const { out, err } = await mpctl("apply", plan);
    assert.equal(
      out,
      "environments/planned created\nenvironments/surplus pruned\n",
      err,
    );
    assert.equal((await mpctl("apply", plan)).code, 6, "it is done already");
    for (
      const [args, told] of [
        [["apply", path], /as a plan/],
        [["apply"], /without a file/],
        [["apply", plan, "--prune"], /with a plan/],
      ] as const
    ) {
      const { code, err } = await mpctl(...args);
      assert.equal(code, 2);
      assert.match(err, told);
    }
    await mpctl("env", "delete", "planned");
  }],
  ["a workload without its environment fails the dry run too", async (world) => {
    const { mpctl, directory } = world;
    const path = join(directory, "nowhere.yaml");
    const name = "environments/nowhere/workloads/web";
    await writeFile(path, `name: ${name}\nspec: {image: "nginx:1"}\n`);
    for (const verb of [["plan"], ["diff"], ["apply", "--dry-run"], ["apply"]]) {
      const { code, err } = await mpctl(...verb, "-f", path);
      assert.equal(code, 7, `${verb}: ${err}`);
    }
  }],
  ["--prune requires labels, and files that have them", async ({ mpctl, directory }) => {
    const path = join(directory, "plain.yaml");
    await writeFile(path, "name: environments/plain\n");
    for (const more of [["--prune"], ["--prune", "-l", "team=shop"], ["-l", "team=shop"]]) {
      const { code, err } = await mpctl("apply", "-f", path, ...more);
      assert.equal(code, 2, `${more.join(" ")}: ${err}`);
    }
    assert.equal((await mpctl("env", "get", "plain")).code, 7);
  }],
  ["a failed resource does not stop the others, and sets the exit code", async (world) => {
    const { mpctl, directory } = world;
    const path = join(directory, "mixed.yaml");
    const documents = [workload("bad", "nginx:missing"), workload("good", "nginx:1")];
    await writeFile(path, documents.join("---\n"));
    const { code, out } = await mpctl("apply", "-f", path);
    assert.equal(code, 3);
    assert.equal(
      out,
      "environments/shop/workloads/bad failed\nenvironments/shop/workloads/good created\n",
    );
  }],
  ["an invalid change is reported before anything changes", async ({ mpctl, directory }) => {
    const path = join(directory, "invalid.yaml");
    await writeFile(path, `name: environments/fresh\n---\n${workload("good", "no image")}`);
    const { code, err } = await mpctl("apply", "-f", path);
    assert.equal(code, 2);
    assert.match(err, /workload\.spec\.image/);
    assert.equal((await mpctl("env", "get", "fresh")).code, 7, "nothing was created");
  }],
  ["mistakes in files are reported with their place", async ({ mpctl, directory }) => {
    const path = join(directory, "broken.yaml");
    const cases: readonly (readonly [string, RegExp])[] = [
      ["name: environments/a\n---\nname: [open\n", /line \d+, column \d+/],
      ["name: environments/a\ncolour: red\n", /line 2, column 1: there is no field 'colour'/],
      ["name: environments/a\nquota: {workloads: many}\n", /line 2, column 9: 'workloads': exp/],
      ["name: pods/a\n", /'name' is 'pods\/a', but must be 'environments\/…'/],
      [
        "name: environments/a\n---\nname: environments/a\n",
        /:3': 'environments\/a' occurs twice/,
      ],
      ["just text\n", /there is no 'name', which must be 'environments\/…'/],
      ["", /Cannot find a resource/],
      [ENDLESS, /alias/],
    ];
    for (const [text, message] of cases) {
      await writeFile(path, text);
      const { code, err } = await mpctl("apply", "-f", path);
      assert.equal(code, 2, `${text}: ${err}`);
      assert.match(err, message);
    }
    const none = await mpctl("apply", "-f", join(directory, "none.yaml"));
    assert.match(none.err, /there is no such file/);
  }],
]);
