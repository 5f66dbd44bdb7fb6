import assert from "node:assert/strict";
import { createEnvironment, deleteEnvironment, updateEnvironment } from "@mpc/services";
import { faultyDefinitions, permanent } from "../fakes/faulty_definitions.ts";
import { withPlatform } from "../fakes/platform.ts";

const DEV = "environments/dev";

Deno.test("an environment whose creation failed can be deleted, protected or not", () =>
  withPlatform(async (platform) => {
    const { deps, caller, store } = platform;
    const environment = { cluster: "nowhere", deletionProtection: true };
    const failed = await platform.ended(
      await createEnvironment(deps, caller, { environmentId: "dev", environment }),
    );
    assert.equal(failed.state, "FAILED");
    await platform.ended(
      await deleteEnvironment(deps, caller, {
        name: DEV,
        etag: "",
        force: false,
        allowMissing: false,
        abandon: false,
        timeoutMs: null,
      }),
    );
    assert.equal(await store.environments.get(DEV), undefined);
  }));

Deno.test("an admitted deletion can be requested again, whatever operation it stopped", async () => {
  let broken = true;
  const { definitions } = faultyDefinitions([
    {
      kind: "environment.update",
      step: "apply_policies",
      run: (run, _call, { signal }) =>
        broken
          ? new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          })
          : run(),
    },
    {
      kind: "environment.delete",
      step: "delete_namespace",
      run: (run) => broken ? Promise.reject(permanent()) : run(),
    },
  ]);
  await withPlatform(async (platform) => {
    const { deps, caller, clock, store } = platform;
    await platform.ended(
      await createEnvironment(deps, caller, {
        environmentId: "dev",
        environment: { deletionProtection: true },
      }),
    );
    const change = { deletionProtection: false };
    await updateEnvironment(deps, caller, { name: DEV, etag: "", change });
    await clock.advance(100);
    const deletion = { etag: "", force: false, allowMissing: false, timeoutMs: null };
    const request = { ...deletion, name: DEV, abandon: false };
    const failed = await platform.ended(await deleteEnvironment(deps, caller, request));
    assert.equal(failed.state, "FAILED");
    const left = (await store.environments.get(DEV))!.value;
    assert.deepEqual([left.state, left.deletionProtection], ["DELETE_FAILED", true]);
    broken = false;
    const again = await platform.ended(await deleteEnvironment(deps, caller, request));
    assert.equal(again.state, "SUCCEEDED", "although the stopped update left the protection on");
    assert.equal(await store.environments.get(DEV), undefined);
  }, { definitions });
});
