/**
 * One of several processes that share a SQLite store: follows the log from its beginning and
 * executes the commands in its events. Prints its actions, and every violation of the log's order.
 */
import { isMpcError } from "@mpc/domain";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { anEnvironment, anEvent } from "../fakes/documents.ts";

const [path = "", id = ""] = Deno.args;
const store = openSqliteStore({ path, shared: true });
const stop = new AbortController();
console.log("ready");

let [last, count] = [0, 0];
for await (const { sequence, message } of store.events.tail(0, stop.signal)) {
  if (sequence <= last) console.log(`broken: ${sequence} after ${last}`);
  last = sequence;
  count++;
  const [word = "", argument = ""] = message.split(" ");
  if (word === "write") writing(Number(argument));
  if (word === "race") racing(argument);
  if (word === "stop") stop.abort();
}
await store.close();
console.log(`saw ${count} to ${last}`);

async function writing(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const name = `${id}-${index}`;
    await store.environments.create(anEnvironment(name), { events: [anEvent(`wrote ${name}`)] });
    console.log(`wrote ${name}`);
  }
  console.log("written");
}

async function racing(environment: string): Promise<void> {
  const mine = anEnvironment(environment, { labels: { winner: id } });
  try {
    await store.environments.replace(mine, 1, { events: [anEvent(`won ${environment}`)] });
    console.log(`won ${environment}`);
  } catch (error) {
    if (!isMpcError(error, "ABORTED")) throw error;
    console.log(`lost ${environment}`);
  }
}
