import assert from "node:assert/strict";
import { systemIds } from "@mpc/process";
import { openMemoryStore } from "@mpc/storage/memory";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { newInstallation } from "./new_installation.ts";
import { openInstallation } from "./open_installation.ts";

Deno.test("processes that open a store at once belong to one installation, and so do later ones", async () => {
  const store = openMemoryStore();
  const tools = { clock: new FakeClock(), ids: systemIds };
  const open = () => openInstallation(store, tools);
  const [first, ...others] = await Promise.all([open(), open(), open()]);
  assert.match(first ?? "", /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  assert.deepEqual(others, [first, first]);
  assert.equal(await open(), first);
  await store.close();
});

Deno.test("two stores belong to two installations", async () => {
  const [one, other] = [openMemoryStore(), openMemoryStore()];
  const tools = { clock: new FakeClock(), ids: systemIds };
  assert.notEqual(await openInstallation(one, tools), await openInstallation(other, tools));
  await Promise.all([one.close(), other.close()]);
});

Deno.test("a copied database that gets a new id has no claims, and keeps the id", async () => {
  const store = openMemoryStore();
  const tools = { clock: new FakeClock(), ids: systemIds };
  const first = await openInstallation(store, tools);
  await store.claims.create({
    name: "clusters/default",
    token: "t",
    next: null,
    renewTime: 0,
    lost: null,
  });
  const { before, after } = await newInstallation(store, tools);
  assert.equal(before, first);
  assert.notEqual(after, first);
  assert.equal(await openInstallation(store, tools), after);
  assert.equal(await store.claims.count({}), 0);
  await store.close();
});
