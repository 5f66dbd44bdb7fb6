/** An environment that is requested on an unknown cluster. */
import assert from "node:assert/strict";
import { openWorld } from "./mpctl_world.ts";

Deno.test({
  name: "an unknown cluster is named with the known ones, and nothing is left behind",
  // The platform's output is read in the background.
  sanitizeOps: false,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "mpc-no-cluster-" });
    const clusters = [{ name: "default", kubeconfig: `${folder}/kubeconfig` }];
    await Deno.writeTextFile(`${folder}/clusters.yaml`, JSON.stringify({ clusters }));
    const world = await openWorld({ platformArgs: ["--clusters-file", `${folder}/clusters.yaml`] });
    try {
      const create = await world.mpctl("env", "create", "dev", "--cluster", "west");
      assert.equal(create.code, 3);
      assert.match(create.err, /there is no cluster 'west', only 'default'/);
      assert.doesNotMatch(create.err, /left behind|could not be undone/);
      const remove = await world.mpctl("env", "delete", "dev");
      assert.match(remove.err, /or forget the environment by 'mpctl env delete dev --abandon'/);
      assert.equal((await world.mpctl("env", "delete", "dev", "--abandon")).code, 0);
      assert.equal((await world.mpctl("env", "get", "dev")).code, 7, "its record is gone");
    } finally {
      await world[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
