import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OperationKind } from "@mpc/domain";
import { environmentEvent } from "@mpc/services";
import {
  type Definition,
  DEFINITIONS,
  newStepRecord,
  OPERATION_ADMITTED,
  type Step,
} from "@mpc/services/operations";
import type { Store } from "@mpc/storage";
import { openSqliteStore } from "@mpc/storage/sqlite";
import { systemClock, systemIds } from "@mpc/process";
import { EmbeddedEngine } from "@mpc/worker";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { anEnvironment, anOperation } from "../fakes/documents.ts";
import { BareCommits } from "./bare_commits.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, timed } from "./measure.ts";

const FEW = 2;
const MANY = 22;
const ROUNDS = 40;

function withSteps(count: number): Readonly<Record<OperationKind, Definition>> {
  const definition = DEFINITIONS["environment.create"];
  const steps = Array.from({ length: count }, (_, index): Step<never> => ({
    name: index < 2 ? definition.steps[index]!.name : `step_${index}`,
    onCancel: "keep",
    retry: definition.steps[0]!.retry,
    attemptTimeoutMs: 60_000,
    run: () => Promise.resolve(),
  }));
  return { ...DEFINITIONS, "environment.create": { ...definition, steps } as Definition };
}

/** What one step costs in the engine, from the slope between few and many steps. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  try {
    const few = await operationMs(join(directory, "few.db"), FEW);
    const many = await operationMs(join(directory, "many.db"), MANY);
    const perStep = (many.ms - few.ms) / (MANY - FEW);
    const bare = new BareCommits(directory, many.bytes);
    const commits: number[] = [];
    for (let round = 0; round < 500; round++) {
      commits.push(await timed(() => Promise.resolve(bare.commit())));
    }
    bare.close();
    const commit = quantile(commits);
    return [{
      name: "engine, per step",
      value: perStep,
      unit: "ms",
      reference: `one bare commit of ${many.bytes} B`,
      ratio: perStep / commit,
      target: { max: 2 },
      note: `${((many.commits - few.commits) / (MANY - FEW)).toFixed(1)} commits per step`,
    }];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function operationMs(
  path: string,
  steps: number,
): Promise<{ ms: number; commits: number; bytes: number }> {
  const definitions = withSteps(steps);
  const store = openSqliteStore({ path });
  const clock = systemClock;
  const ids = systemIds;
  const provider = new SimulatedProvider({ clock, delays: NO_DELAYS, statePath: null });
  const engine = new EmbeddedEngine({ store, provider, clock, ids, definitions });
  const took: number[] = [];
  let commits = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = store.commits;
    took.push(
      await timed(async () => {
        const name = `operations/${ids.uuid()}`;
        await admitBare(store, name, `e-${round}`, definitions);
        await engine.start(name);
        await engine.idle();
      }),
    );
    commits = store.commits - before;
  }
  const events = await store.events.read(await store.events.head() - 5, 5);
  const bytes = Math.round(
    events.reduce((sum, event) => sum + JSON.stringify(event).length, 0) / events.length,
  );
  await engine.close();
  await provider.close();
  await store.close();
  return { ms: quantile(took.slice(5)), commits, bytes };
}

/** Admits an operation with the steps of these definitions, as admission writes it. */
async function admitBare(
  store: Store,
  name: string,
  id: string,
  definitions: Readonly<Record<OperationKind, Definition>>,
): Promise<void> {
  const steps = definitions["environment.create"].steps.map((step) => newStepRecord(step.name));
  const now = Date.now();
  const operation = anOperation(name.slice("operations/".length), {
    target: `environments/${id}`,
    steps,
    createTime: now,
    deadline: now + 600_000,
  });
  await store.operations.create(operation);
  const value = anEnvironment(id, { state: "CREATING", currentOperation: name });
  await store.environments.create(value, {
    events: [environmentEvent({ value, version: 1 }, {
      reason: OPERATION_ADMITTED,
      message: "",
      operation: name,
      actor: "bench",
      time: now,
    })],
  });
}
