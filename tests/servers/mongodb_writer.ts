/**
 * One of several processes that change the same documents of a MongoDB database. Prints each call
 * when it begins and, as JSON, when it has ended.
 */
import { isMpcError } from "@mpc/domain";
import { openStore } from "@mpc/storage/open_store";
import { anEnvironment, anEvent } from "../fakes/documents.ts";

const [address = "", client = "", documents = "1"] = Deno.args;

/** The same clock for all processes of the machine, in microseconds. */
const now = () => Math.round((performance.timeOrigin + performance.now()) * 1_000);

const store = await openStore(address, { shared: true });
const known = new Map<string, number>();
console.log("ready");

for (let call = 0;; call++) {
  const document = `e-${Math.floor(Math.random() * Number(documents))}`;
  const version = known.get(document) ?? 0;
  const op = opFor(version);
  const value = `${client}-${call}`;
  const began = { client: Number(client), document, op, version, value, call: now() };
  console.log(`began ${JSON.stringify(began)}`);
  const result = await run(document, op, version, value);
  console.log(`ended ${JSON.stringify({ ...began, ...result, return: now() })}`);
}

function opFor(version: number): string {
  const dice = Math.random();
  if (dice < 0.25) return "get";
  if (version === 0) return "create";
  return dice < 0.9 ? "replace" : "delete";
}

async function run(document: string, op: string, version: number, value: string) {
  const { environments } = store;
  const next = anEnvironment(document, { labels: { value } });
  const events = [anEvent(value, { target: document, reason: op as never })];
  try {
    switch (op) {
      case "get": {
        const found = await environments.get(next.name);
        known.set(document, found?.version ?? 0);
        return {
          result: "found",
          foundVersion: found?.version ?? 0,
          foundValue: found?.value.labels["value"] ?? "",
        };
      }
      case "create":
        await environments.create(next, { events });
        known.set(document, 1);
        break;
      case "replace":
        await environments.replace(next, version, { events });
        known.set(document, version + 1);
        break;
      default:
        await environments.delete(next.name, version, { events });
        known.delete(document);
    }
    return { result: "made" };
  } catch (error) {
    if (isMpcError(error, "UNAVAILABLE", "CANCELLED")) return { result: "unknown" };
    if (!isMpcError(error, "ABORTED", "NOT_FOUND", "ALREADY_EXISTS")) throw error;
    const found = await environments.get(next.name);
    known.set(document, found?.version ?? 0);
    return { result: "refused" };
  }
}
