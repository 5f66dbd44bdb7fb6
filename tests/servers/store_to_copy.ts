/** Writes a store with much content, that no platform uses: so many of each kind. */
import { openStore } from "@mpc/storage/open_store";
import { systemClock, systemIds } from "@mpc/process";
import { openInstallation } from "../../platform/open_installation.ts";
import { anEnvironment, anEvent, anOperation } from "../fakes/documents.ts";

const [address = "", count = "0"] = Deno.args;
const store = await openStore(address);
await openInstallation(store, { clock: systemClock, ids: systemIds });
for (let from = 0; from < Number(count); from += 250) {
  await Promise.all(Array.from({ length: 250 }, async (_, index) => {
    const id = `e-${from + index}`;
    await store.environments.create(anEnvironment(id), { events: [anEvent(id), anEvent(id)] });
    await store.environments.replace(anEnvironment(id, { generation: 2 }), 1);
    await store.operations.create(anOperation(id, { state: "SUCCEEDED", requestId: id }));
  }));
}
await store.close();
