import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { INSTALLATION, type JsonObject, REDACTED } from "@mpc/domain";
import type { Store } from "@mpc/storage";
import { openMemoryStore } from "@mpc/storage/memory";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { storeContract } from "../../tests/contract/store_contract.ts";
import { anEvent, anOperation, aSpec, aWorkload } from "../../tests/fakes/documents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { withFolder } from "../../tests/servers/with_folder.ts";
import { admitKeys, encryptedStore, KeyRing } from "./store.ts";

const newKey = () => crypto.getRandomValues(new Uint8Array(32)).toBase64();
const [OLD, NEW] = [newKey(), newKey()];

for (
  const [name, keys] of [["with a key", await KeyRing.parse(NEW)], ["without a key", null]] as const
) {
  storeContract(
    `memory, encrypted ${name}`,
    { durable: false, twoHandles: false, codePointOrder: true },
    () => {
      const store = encryptedStore(openMemoryStore(), keys);
      return Promise.resolve({
        store,
        openAgain: () => Promise.reject(new Error("a store in memory has only one handle")),
        close: () => store.close(),
      });
    },
  );
}

storeContract(
  "sqlite, encrypted",
  { durable: true, twoHandles: true, codePointOrder: true },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "mpc-store-"));
    const keys = await KeyRing.parse(`${NEW}\n${OLD}`);
    const handles: Store[] = [];
    const open = () => {
      const bare = openSqliteStore({ path: join(folder, "mpc.db"), shared: true });
      const handle = encryptedStore(bare, keys);
      handles.push(handle);
      return handle;
    };
    return {
      store: open(),
      openAgain: () => Promise.resolve(open()),
      async close() {
        for (const handle of handles) await handle.close();
        await rm(folder, { recursive: true });
      },
    };
  },
);

const VALUES = { db: { password: "pineapple", ports: [5432, null, true] }, empty: "", none: {} };
const SPEC = aSpec({
  env: { PASSWORD: "pineapple", EMPTY: "" },
  chart: { name: "web", version: "1.0.0", values: VALUES },
});
const WEB = aWorkload("dev", "web", { spec: SPEC });
const DEPLOY = anOperation("1", {
  kind: "workload.deploy",
  requestHash: "hash of pineapple",
  input: { verb: "deploy", wanted: { spec: SPEC }, previous: { spec: SPEC } },
});

Deno.test("secret values are stored encrypted, and everything else as it is", async () => {
  const bare = openMemoryStore();
  const store = encryptedStore(bare, await KeyRing.parse(NEW));
  assert.deepEqual((await store.workloads.create(WEB)).value, WEB);
  await store.operations.create(DEPLOY);
  const kept = (await bare.workloads.get(WEB.name))!.value;
  const { env, chart, ...others } = kept.spec;
  const { env: _env, chart: _chart, ...open } = SPEC;
  assert.deepEqual(others, open);
  assert.deepEqual(Object.keys(env), ["PASSWORD", "EMPTY"]);
  const leaves = [
    ...Object.values(env),
    ...Object.values(chart?.values["db"] as JsonObject).flat(),
    chart?.values["empty"],
  ];
  assert.match(String(leaves[0]), /^mpc:sealed:1:[0-9a-f]{8}:0:[A-Za-z0-9+/]+=*$/);
  const marks = leaves.slice(1).map((leaf) => String(leaf).replace(/1:[0-9a-f]{8}/, "1:key"));
  assert.deepEqual(marks, [1, 2, 3, 4, 5, 6].map((index) => `mpc:sealed:1:key:${index}`));
  const operation = JSON.stringify(await bare.operations.get(DEPLOY.name));
  assert.ok(!operation.includes("pineapple"), operation);
  assert.deepEqual((await store.operations.get(DEPLOY.name))?.value, DEPLOY);
  await bare.close();
});

Deno.test("the same value never has the same ciphertext, and its document stays equal", async () => {
  const bare = openMemoryStore();
  const store = encryptedStore(bare, await KeyRing.parse(NEW));
  const { version } = await store.workloads.create(WEB);
  const before = (await bare.workloads.get(WEB.name))!.value.spec.env["PASSWORD"];
  assert.deepEqual((await store.workloads.replace(WEB, version)).value, WEB);
  assert.notEqual((await bare.workloads.get(WEB.name))!.value.spec.env["PASSWORD"], before);
  await bare.close();
});

Deno.test("ciphertext that was changed, or moved to another document or field, is refused", async () => {
  const bare = openMemoryStore();
  const store = encryptedStore(bare, await KeyRing.parse(NEW));
  const spec = aSpec({ env: { A: "pineapple", B: "mango" } });
  await store.workloads.create(aWorkload("dev", "web", { spec }));
  await store.workloads.create(aWorkload("dev", "other", { spec }));
  const envOf = async (id: string) =>
    (await bare.workloads.get(`environments/dev/workloads/${id}`))!.value.spec.env;
  const { A = "", B = "" } = await envOf("web");
  const other = await envOf("other");
  const flipped = A.slice(0, 50) + (A[50] === "A" ? "B" : "A") + A.slice(51);
  const damaged: readonly Readonly<Record<string, string>>[] = [
    ...[other, { A: B, B: A }, { A: flipped, B }, { A: A.slice(0, 40), B }, { A }, { B }],
    ...[{ A, B: A }, { A, B, C: B }, { A, B: "plain" }, { A, C: B }, { A, B: "mpc:sealed:2:x" }],
    ...[{ A, B: B.replace(/1$/, "2") }, { A, B: B.replace(/1$/, "") }, { A: "mpc:sealed:", B }],
  ];
  let version = 1;
  for (const env of damaged) {
    await bare.workloads.replace(aWorkload("dev", "web", { spec: aSpec({ env }) }), version++);
    const read = store.workloads.get("environments/dev/workloads/web");
    const { message } = await rejectsWith(read, "DATA_LOSS", "STORE_CORRUPT");
    assert.match(message, /'environments\/dev\/workloads\/web': its encrypted values were changed/);
  }
  const restored = { B, A };
  await bare.workloads.replace(
    aWorkload("dev", "web", { spec: aSpec({ env: restored }) }),
    version,
  );
  const read = await store.workloads.get("environments/dev/workloads/web");
  assert.deepEqual(read?.value.spec, spec, "the order of keys does not matter");
  await bare.close();
});

Deno.test("a value and its events are copied before the call returns", async () => {
  const bare = openMemoryStore();
  const store = encryptedStore(bare, await KeyRing.parse(NEW));
  const labels: Record<string, string> = { team: "web" };
  const event = { ...anEvent("made") };
  const created = store.workloads.create({ ...WEB, labels }, { events: [event] });
  labels["team"] = "changed";
  event.message = "changed";
  assert.deepEqual((await created).value.labels, { team: "web" });
  assert.deepEqual((await store.events.read(0, 9)).map(({ message }) => message), ["made"]);
  await bare.close();
});

Deno.test("values that look encrypted are kept as they are, with and without a key", async () => {
  const env = { A: "mpc:sealed:1:0badcafe:AAAA", B: "mpc:plain:x", C: "mpc:plain:mpc:plain:" };
  for (const keys of [null, await KeyRing.parse(NEW)]) {
    const bare = openMemoryStore();
    const before = encryptedStore(bare, null);
    const workload = aWorkload("dev", "odd", { spec: aSpec({ env }) });
    const { version } = await before.workloads.create(workload);
    const store = encryptedStore(bare, keys);
    assert.deepEqual((await store.workloads.get(workload.name))?.value, workload);
    assert.deepEqual((await store.workloads.replace(workload, version)).value, workload);
    await bare.close();
  }
});

Deno.test("an earlier key reads, the first key writes, and values without a key stay readable", async () => {
  const bare = openMemoryStore();
  await bare.workloads.create(aWorkload("dev", "plain", { spec: SPEC }));
  await encryptedStore(bare, await KeyRing.parse(OLD)).workloads.create(WEB);
  const store = encryptedStore(bare, await KeyRing.parse(`${NEW}\n${OLD}\n`));
  const { items } = await store.workloads.list({ limit: 9 });
  assert.deepEqual(items.map(({ value }) => value.spec), [SPEC, SPEC]);
  await store.workloads.replace(WEB, 1);
  const alone = encryptedStore(bare, await KeyRing.parse(NEW));
  assert.deepEqual((await alone.workloads.get(WEB.name))?.value, WEB);
  await bare.close();
});

Deno.test("ciphertext is never shown as data where its key is missing", async () => {
  const bare = openMemoryStore();
  await encryptedStore(bare, await KeyRing.parse(OLD)).workloads.create(WEB);
  const without = encryptedStore(bare, null);
  const wrong = encryptedStore(bare, await KeyRing.parse(NEW));
  for (
    const [store, reason] of [
      [without, "ENCRYPTION_KEY_MISSING"],
      [wrong, "ENCRYPTION_KEY_WRONG"],
    ] as const
  ) {
    await rejectsWith(store.workloads.get(WEB.name), "FAILED_PRECONDITION", reason);
    await rejectsWith(store.workloads.list({ limit: 9 }), "FAILED_PRECONDITION", reason);
  }
  await bare.close();
});

Deno.test("a process without a key of the store is refused before it reads anything", async () => {
  const bare = openMemoryStore();
  await bare.installations.create({ name: INSTALLATION, id: "x", createTime: 0 });
  await admitKeys(bare, null);
  const old = await KeyRing.parse(OLD);
  await Promise.all([admitKeys(bare, old), admitKeys(bare, old)]);
  const refused = (keys: KeyRing | null) => admitKeys(bare, keys);
  const missing = await rejectsWith(
    refused(null),
    "FAILED_PRECONDITION",
    "ENCRYPTION_KEY_MISSING",
  );
  assert.match(missing.message, new RegExp(`by key '${old.first}'.*--encryption-key-file`));
  const wrong = await rejectsWith(
    refused(await KeyRing.parse(NEW)),
    "FAILED_PRECONDITION",
    "ENCRYPTION_KEY_WRONG",
  );
  assert.match(wrong.message, new RegExp(`by key '${old.first}'.*the key file has`));
  const both = await KeyRing.parse(`${NEW}\n${OLD}`);
  await admitKeys(bare, both);
  const { encryptionKeys } = (await bare.installations.get(INSTALLATION))!.value;
  assert.deepEqual(encryptionKeys, [old.first, both.first]);
  await bare.close();
});

const NO_KEYS = {
  "an empty file": "",
  "a word": "short",
  "a key that is too short": newKey().slice(4),
  "a line that is not base64": `${newKey()}\nnot base64!`,
};

for (const [what, text] of Object.entries(NO_KEYS)) {
  Deno.test(`${what} is no key file`, async () => {
    await rejectsWith(KeyRing.parse(text), "INVALID_ARGUMENT", "ENCRYPTION_KEY_INVALID");
  });
}

Deno.test("neither a database nor its log has a secret value", () =>
  withFolder(async (folder) => {
    const path = join(folder, "mpc.db");
    const store = encryptedStore(openSqliteStore({ path }), await KeyRing.parse(NEW));
    const { version } = await store.workloads.create(WEB);
    await store.workloads.replace(WEB, version);
    await store.operations.create(DEPLOY);
    const files = [path, `${path}-wal`];
    const text = async () => {
      const parts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
      return parts.join();
    };
    const kept = await text();
    assert.ok(kept.includes("PASSWORD") && !kept.includes(REDACTED));
    assert.ok(!kept.includes("pineapple"));
    await store.close();
    const database = new DatabaseSync(path);
    const rows = database.prepare("SELECT body FROM workloads").all();
    database.close();
    assert.equal(rows.length, 1);
    assert.ok(!JSON.stringify(rows).includes("pineapple"));
  }));
