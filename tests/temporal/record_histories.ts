/**
 * Records histories for the replay test: `deno task histories:record KIND…`, by default of every
 * kind. A new recording no longer shows that operations begun earlier can be replayed.
 */
import { idOf, OPERATION_KINDS, type OperationKind } from "@mpc/domain";
import { DEFINITIONS } from "@mpc/services/sagas";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import {
  type Fault,
  faultyDefinitions,
  hang,
  permanent,
  transient,
} from "../fakes/faulty_definitions.ts";
import { Platform } from "../fakes/platform.ts";
import { SCENARIOS } from "../fakes/scenarios.ts";
import { TemporalEngines } from "../fakes/temporal_engines.ts";
import { EXACT_TIMERS, startTemporalServer } from "../servers/temporal_server.ts";
import { HISTORIES } from "./histories.ts";

/** How the last step of an operation causes each ending. */
const ENDINGS: Readonly<Record<string, Pick<Fault, "run" | "undo">>> = {
  succeeded: {},
  retried: { run: (run, call) => call <= 2 ? Promise.reject(transient()) : run() },
  failed: { run: () => Promise.reject(permanent()) },
  stuck: { run: () => Promise.reject(permanent()), undo: () => Promise.reject(permanent()) },
  cancelled: { run: hang },
};

async function record(
  engines: TemporalEngines,
  kind: OperationKind,
  ending: string,
): Promise<string> {
  const steps = DEFINITIONS[kind].steps;
  const last = steps.at(-1)!.name;
  const undoable = steps.findLast(({ undo }) => undo)?.name ?? last;
  const { run, undo } = ENDINGS[ending]!;
  const { definitions } = faultyDefinitions([
    { kind, step: last, ...(run && { run }) },
    { kind, step: undoable, ...(undo && { undo }) },
  ]);
  const platform = await Platform.start({ engine: engines.newEngine });
  try {
    const scenario = SCENARIOS.find((scenario) => scenario.kind === kind)!;
    await scenario.prepare(platform);
    await platform.crash();
    platform.definitions = definitions;
    await platform.restart();
    const { operation } = await scenario.request(platform);
    const { name } = operation!.value;
    if (ending === "cancelled") await cancelIn(last, platform, name);
    await platform.settle();
    const handle = engines.client().workflow.getHandle(idOf(name));
    // The record ends a moment before the workflow does, whether or not the operation succeeds.
    await handle.result().catch(() => undefined);
    return withoutMachine(historyToJSON(await handle.fetchHistory()));
  } finally {
    await platform.close();
  }
}

/** Requests a cancellation as soon as a step has begun. */
async function cancelIn(step: string, platform: Platform, name: string): Promise<void> {
  for await (const { resource } of platform.store.events.tail(0, platform.caller.signal)) {
    if (resource?.kind !== "operation" || resource.value.name !== name) continue;
    if (resource.value.steps.some((s) => s.name === step && s.state === "RUNNING")) break;
  }
  await platform.cancelAsCaller(name);
}

/** Removes who recorded it and where the code was, which do not affect a replay. */
function withoutMachine(json: string): string {
  const anonymous = (key: string, value: unknown) => {
    if (/identity/i.test(key)) return "recorder";
    return key === "stackTrace" ? "" : value;
  };
  return JSON.stringify(JSON.parse(json), anonymous, 1);
}

const named: readonly string[] = Deno.args;
const kinds = OPERATION_KINDS.filter((kind) => named.length === 0 || named.includes(kind));
if (kinds.length < named.length) {
  console.error(`Cannot record '${named.join(" ")}': must be of ${OPERATION_KINDS.join(", ")}`);
  Deno.exit(2);
}

const server = await startTemporalServer({ dynamicConfig: EXACT_TIMERS });
const engines = await TemporalEngines.start(server);
for (const kind of kinds) {
  for (const ending of Object.keys(ENDINGS)) {
    const path = new URL(`${kind}.${ending}.json`, HISTORIES);
    await Deno.writeTextFile(path, `${await record(engines, kind, ending)}\n`);
  }
}
await engines.close();
await server.stop();
