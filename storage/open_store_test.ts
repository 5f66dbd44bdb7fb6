import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import process from "node:process";
import { join, relative } from "node:path";
import { openStore } from "@mpc/storage/open_store";
import { anEnvironment } from "../tests/fakes/documents.ts";
import { rejectsWith } from "../tests/fakes/rejects.ts";
import { withFolder } from "../tests/servers/with_folder.ts";

Deno.test("openStore() opens the same SQLite file by every spelling of its path, without unescaping", () =>
  withFolder(async (folder) => {
    for (const file of ["mpc.db", "a%20b.db", "with space?mode=memory#1.db"]) {
      const path = join(folder, file);
      const near = relative(process.cwd(), path);
      const addresses = [
        `sqlite:${path}`,
        `sqlite:${near}`,
        `SQLite:./${near}`,
        `sqlite://${path}`,
      ];
      for (const [index, address] of addresses.entries()) {
        const store = await openStore(address);
        assert.equal(await store.environments.count({}), index, address);
        await store.environments.create(anEnvironment(`e-${index}`));
        await store.close();
      }
      assert.ok((await stat(path)).isFile());
    }
  }));

Deno.test("openStore() treats a path that SQLite would read as a URI as a file name", () =>
  withFolder(async (folder) => {
    const script = `
      import { openStore } from "@mpc/storage/open_store";
      await (await openStore("sqlite:file:x?mode=memory")).close();`;
    const config = new URL("../deno.json", import.meta.url).pathname;
    // In a separate process, because the name is relative to the working directory.
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--config", config, "--ext=ts", script],
      cwd: folder,
      stderr: "inherit",
    }).output();
    assert.ok(success);
    assert.ok((await stat(join(folder, "file:x?mode=memory"))).isFile());
  }));

Deno.test("openStore() shares a file only if every opening does", () =>
  withFolder(async (folder) => {
    const address = `sqlite:${join(folder, "mpc.db")}`;
    const [one, other] = [
      await openStore(address, { shared: true }),
      await openStore(address, { shared: true }),
    ];
    await one.environments.create(anEnvironment("dev"));
    assert.equal(await other.environments.count({}), 1);
    await rejectsWith(openStore(address), "FAILED_PRECONDITION", "STORE_IN_USE");
    await one.close();
    await other.close();
  }));

Deno.test("openStore() opens a new store in memory each time", async () => {
  const [one, other] = [await openStore("memory:"), await openStore("memory:")];
  await one.environments.create(anEnvironment("dev"));
  assert.equal(await other.environments.count({}), 0);
  await one.close();
  await other.close();
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["", /no scheme; supported are 'memory:', 'sqlite:PATH' and 'mongodb:/],
  ["mpc.db", /no scheme/],
  ["/var/lib/mpc.db", /no scheme/],
  ["memory", /no scheme/],
  ["memory:x", /nothing after its colon/],
  ["sqlite:", /lacks the path/],
  ["sqlite:///", /lacks the path/],
  ["sqlite::memory:", /choose 'memory:'/],
  ["sqlite:~/mpc.db", /'~' is not expanded/],
  ["sqlite://mpc.db", /names a host/],
  ["sqlite:a\0b", /NUL/],
  ["mongodb://ann:secret@/mpc", /./],
  ["mongodb://ann:secret@db:99999/mpc", /./],
  ["mongodb://ann:secret@db/mpc?w=0", /'w=0' would acknowledge/],
  ["mongodb://ann:secret@db/mpc?retries=often", /'retries|retries/],
  ["postgres://ann:secret@db/mpc", /'postgres:' is not supported/],
];

for (const [address, message] of REFUSED) {
  Deno.test(`openStore() refuses ${JSON.stringify(address)}`, async () => {
    const error = await rejectsWith(
      openStore(address),
      "INVALID_ARGUMENT",
      "STORE_ADDRESS_INVALID",
    );
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret/);
  });
}

Deno.test("openStore() refuses to share a store in memory", async () => {
  const shared = openStore("memory:", { shared: true });
  const error = await rejectsWith(shared, "INVALID_ARGUMENT", "STORE_ADDRESS_INVALID");
  assert.match(error.message, /cannot share 'memory:'/);
});

Deno.test("openStore() loads an adapter only when it opens one", async () => {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("./open_store.ts", import.meta.url).pathname],
    stderr: "inherit",
  }).output();
  assert.ok(success);
  const { modules } = JSON.parse(new TextDecoder().decode(stdout));
  const adapter = /\/storage\/(?:memory|sqlite|mongodb)\//;
  let loaded = 0;
  for (const { specifier, dependencies = [] } of modules) {
    if (adapter.test(specifier)) continue;
    for (const { code, isDynamic = false } of dependencies) {
      if (!adapter.test(code?.specifier ?? "")) continue;
      assert.ok(isDynamic, `${specifier} imports ${code.specifier} statically`);
      loaded++;
    }
  }
  assert.equal(loaded, 3, "all adapters are imported");
});
