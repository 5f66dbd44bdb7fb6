/** An environment that is requested on an unknown cluster. */
import assert from "node:assert/strict";
import { startPlatform } from "../servers/platform_process.ts";
import { openWorld } from "./mpctl_world.ts";

/** A cluster that nothing listens for. */
const UNREACHABLE = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "away", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "nobody", user: {} }],
  contexts: [{ name: "away", context: { cluster: "away", user: "nobody" } }],
  "current-context": "away",
});

Deno.test({
  name: "an unknown cluster is named with the known ones, and nothing is left behind",
  // The platform's output is read in the background.
  sanitizeOps: false,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "mpc-no-cluster-" });
    await Deno.writeTextFile(`${folder}/kubeconfig`, UNREACHABLE);
    const clusters = [{ name: "default", kubeconfig: `${folder}/kubeconfig` }];
    await Deno.writeTextFile(`${folder}/clusters.yaml`, JSON.stringify({ clusters }));
    const world = await openWorld({ platformArgs: ["--clusters-file", `${folder}/clusters.yaml`] });
    try {
      const create = await world.mpctl("env", "create", "dev", "--cluster", "west");
      assert.equal(create.code, 3);
      assert.match(create.err, /there is no cluster 'west', only 'default'/);
      assert.doesNotMatch(create.err, /left behind|could not be undone/);
      const remove = await world.mpctl("env", "delete", "dev");
      assert.match(
        remove.err,
        /or forget the environment by 'mpctl env delete dev --force --abandon'/,
      );
      assert.equal((await world.mpctl("env", "delete", "dev", "--force", "--abandon")).code, 0);
      assert.equal((await world.mpctl("env", "get", "dev")).code, 7, "its record is gone");
    } finally {
      await world[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Flags that name no usable context, and what is said of them. */
const REFUSED: readonly (readonly [string, (folder: string) => readonly string[], RegExp])[] = [
  [
    "a context that the kubeconfig lacks",
    (folder) => ["--kubeconfig", `${folder}/kubeconfig`, "--context", "prod"],
    /no context 'prod', its contexts are 'away'/,
  ],
  [
    "a kubeconfig that is not there",
    (folder) => ["--kubeconfig", `${folder}/elsewhere`],
    /kubeconfig '.*elsewhere': it cannot be read/,
  ],
  [
    "a file that is no kubeconfig",
    (folder) => ["--kubeconfig", `${folder}/notes.txt`],
    /kubeconfig '.*notes.txt': /,
  ],
  [
    "a context in the file of several clusters",
    (folder) => ["--clusters-file", `${folder}/clusters.yaml`],
    /cluster 'west' .* no context 'west', its contexts are 'away'/,
  ],
];

Deno.test("a wrong context or kubeconfig is refused at start, with the contexts that there are", {
  // The platform's output is read in the background.
  sanitizeOps: false,
  sanitizeResources: false,
}, async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "mpc-wrong-context-" });
  try {
    const kubeconfig = `${folder}/kubeconfig`;
    const clusters = [
      { name: "default", kubeconfig },
      { name: "west", kubeconfig, context: "west" },
    ];
    await Deno.writeTextFile(kubeconfig, UNREACHABLE);
    await Deno.writeTextFile(`${folder}/notes.txt`, "buy milk");
    await Deno.writeTextFile(`${folder}/clusters.yaml`, JSON.stringify({ clusters }));
    for (const [what, flags, message] of REFUSED) {
      await t.step(what, async () => {
        const start = async () => {
          const platform = await startPlatform(["--ephemeral", ...flags(folder)]);
          await platform.stop();
        };
        await assert.rejects(start, (error: Error) => {
          assert.match(error.message, /the process ended: Error: Cannot use cluster/);
          assert.match(error.message, message);
          return true;
        });
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
