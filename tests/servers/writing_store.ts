/** Writes to a SQLite store endlessly, and prints each name when the store has acknowledged it. */
import { openSqliteStore } from "@mpc/storage/sqlite";
import { anEnvironment, anEvent } from "../fakes/documents.ts";

const [path = "", round = ""] = Deno.args;
const store = openSqliteStore({ path });
console.log("ready");
for (let batch = 0;; batch++) {
  await Promise.all(Array.from({ length: 4 }, async (_, index) => {
    const id = `e-${round}-${batch}-${index}`;
    await store.environments.create(anEnvironment(id), { events: [anEvent(id)] });
    console.log(`written ${id}`);
  }));
}
