import assert from "node:assert/strict";
import { INSTALLATION, workloadName } from "@mpc/domain";
import type { Collection, Store } from "@mpc/storage";
import { admitKeys, encryptedStore, KeyRing } from "@mpc/storage/encryption";
import { openMemoryStore } from "@mpc/storage/memory";
import { anOperation, aSpec, aWorkload } from "../../tests/fakes/documents.ts";
import { rejectsWith } from "../../tests/fakes/rejects.ts";
import { copyStore } from "./copy_store.ts";
import { countSecrets, rewrapStore } from "./rewrap_store.ts";

const newKey = () => crypto.getRandomValues(new Uint8Array(32)).toBase64();
const [OLD, NEW] = [newKey(), newKey()];
const [old, both, alone] = [
  await KeyRing.parse(OLD),
  await KeyRing.parse(`${NEW}\n${OLD}`),
  await KeyRing.parse(NEW),
];

const spec = aSpec({ env: { A: "pineapple", B: "mango" } });

/** Two workloads without a key and two encrypted by the old one; each has two values. */
async function mixedStore(): Promise<Store> {
  const bare = openMemoryStore();
  await bare.installations.create({ name: INSTALLATION, id: "x", createTime: 0 });
  for (const [ids, keys] of [[["p", "q"], null], [["r", "s"], old]] as const) {
    await admitKeys(bare, keys);
    const store = encryptedStore(bare, keys);
    for (const id of ids) await store.workloads.create(aWorkload("dev", id, { spec }));
  }
  await bare.operations.create(anOperation("1", { input: { wanted: { spec } }, requestHash: "h" }));
  return bare;
}

/** The methods of a collection as an object of its own, to replace one of them. */
function methodsOf<T extends { readonly name: string }>(
  inner: Collection<T>,
): Collection<T> {
  return {
    create: (...call) => inner.create(...call),
    get: (...call) => inner.get(...call),
    list: (query) => inner.list(query),
    count: (query) => inner.count(query),
    replace: (...call) => inner.replace(...call),
    delete: (...call) => inner.delete(...call),
  };
}

async function assertReadable(bare: Store, keys: KeyRing): Promise<void> {
  const { items } = await encryptedStore(bare, keys).workloads.list({ limit: 9 });
  assert.deepEqual(items.map(({ value }) => value.spec), [spec, spec, spec, spec]);
}

Deno.test("rewrapStore() encrypts everything by the first key, and retires the others", async () => {
  const bare = await mixedStore();
  assert.deepEqual(await countSecrets(bare), { plain: 7, [old.first]: 4 });
  const { rewritten, secrets, retired } = await rewrapStore({ store: bare, keys: both });
  assert.deepEqual({ rewritten, secrets, retired }, {
    rewritten: 5,
    secrets: { [both.first]: 11 },
    retired: [old.first],
  });
  await admitKeys(bare, alone);
  await assertReadable(bare, alone);
  await rejectsWith(admitKeys(bare, old), "FAILED_PRECONDITION", "ENCRYPTION_KEY_WRONG");
  const again = await rewrapStore({ store: bare, keys: alone });
  assert.equal(again.rewritten, 0);
  assert.deepEqual(again.retired, []);
  await bare.close();
});

Deno.test("rewrapStore() continues where it was interrupted", async () => {
  const bare = await mixedStore();
  let writes = 0;
  const dying: Store = {
    ...bare,
    workloads: {
      ...methodsOf(bare.workloads),
      replace(...call) {
        if (++writes > 2) return Promise.reject(new Error("the process was killed"));
        return bare.workloads.replace(...call);
      },
    },
  };
  await assert.rejects(rewrapStore({ store: dying, keys: both }), /killed/);
  await assertReadable(bare, both);
  const { rewritten, secrets } = await rewrapStore({ store: bare, keys: both });
  assert.equal(rewritten, 3);
  assert.deepEqual(secrets, { [both.first]: 11 });
  await bare.close();
});

Deno.test("rewrapStore() keeps what a server writes meanwhile, and passes over what it deletes", async () => {
  const bare = await mixedStore();
  const server = encryptedStore(bare, both);
  const changed = aSpec({ env: { A: "changed" } });
  let meanwhile = async () => {
    meanwhile = () => Promise.resolve();
    await server.workloads.replace(aWorkload("dev", "p", { spec: changed }), 1);
    await server.workloads.delete(workloadName("dev", "q"), 1);
  };
  const busy: Store = {
    ...bare,
    workloads: {
      ...methodsOf(bare.workloads),
      async replace(...call) {
        await meanwhile();
        return await bare.workloads.replace(...call);
      },
    },
  };
  const { secrets } = await rewrapStore({ store: busy, keys: both });
  assert.deepEqual(secrets, { [both.first]: 8 });
  const { items } = await encryptedStore(bare, alone).workloads.list({ limit: 9 });
  assert.deepEqual(items.map(({ value }) => value.spec), [changed, spec, spec]);
  await bare.close();
});

Deno.test("rewrapStore() refuses a store whose key it does not have, and changes nothing", async () => {
  const bare = await mixedStore();
  const refused = rewrapStore({ store: bare, keys: alone });
  await rejectsWith(refused, "FAILED_PRECONDITION", "ENCRYPTION_KEY_WRONG");
  assert.deepEqual(await countSecrets(bare), { plain: 7, [old.first]: 4 });
  await bare.close();
});

Deno.test("copyStore() moves ciphertext unchanged, with the list of its keys", async () => {
  const [from, to] = [await mixedStore(), openMemoryStore()];
  await rewrapStore({ store: from, keys: both });
  const operation = (await from.operations.get("operations/1"))!;
  await from.operations.replace({ ...operation.value, state: "SUCCEEDED" }, operation.version);
  await copyStore({ from, to });
  const [before, after] = [
    await from.workloads.list({ limit: 9 }),
    await to.workloads.list({ limit: 9 }),
  ];
  assert.deepEqual(after, before);
  await rejectsWith(admitKeys(to, null), "FAILED_PRECONDITION", "ENCRYPTION_KEY_MISSING");
  await assertReadable(to, alone);
  await from.close();
  await to.close();
});
