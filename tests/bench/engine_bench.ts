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
} from "@mpc/services/sagas";
import type { Store } from "@mpc/storage";
import { openSqliteStore, type SqliteStore } from "@mpc/storage/sqlite";
import { systemClock, systemIds } from "@mpc/process";
import { EmbeddedEngine } from "@mpc/worker";
import { NO_DELAYS, SimulatedProvider } from "@mpc/worker/simulated";
import { anEnvironment, anOperation } from "../fakes/documents.ts";
import { BareCommits } from "./bare_commits.ts";
import type { BenchRow } from "./bench_row.ts";
import { quantile, timed } from "./measure.ts";

const FEW = 2;
const MANY = 22;
const WARM_UP = 5;
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

/** The cost of one step in the engine, from the difference between few and many steps. */
export async function run(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), "mpc-bench-"));
  const few = new World(join(directory, "few.db"), FEW);
  const many = new World(join(directory, "many.db"), MANY);
  try {
    for (let round = 0; round < WARM_UP; round++) {
      await few.operation();
      await many.operation();
    }
    const bytes = await many.bytesOfAnEvent();
    const bare = new BareCommits(directory, bytes);
    const steps: number[] = [];
    const commits: number[] = [];
    // In turns, so that other load on the machine affects both alike.
    for (let round = 0; round < ROUNDS; round++) {
      const short = await few.operation();
      const long = await many.operation();
      steps.push((long.ms - short.ms) / (MANY - FEW));
      for (let commit = FEW; commit < MANY; commit++) {
        commits.push(await timed(() => Promise.resolve(bare.commit())));
      }
    }
    bare.close();
    const perStep = quantile(steps);
    const written = (await many.operation()).commits - (await few.operation()).commits;
    return [{
      name: "engine, per step",
      value: perStep,
      unit: "ms",
      reference: `one bare commit of ${bytes} B`,
      ratio: perStep / quantile(commits),
      target: { max: 2 },
      note: `${(written / (MANY - FEW)).toFixed(1)} commits per step`,
    }];
  } finally {
    await few.close();
    await many.close();
    await rm(directory, { recursive: true });
  }
}

/** An engine with its own store, whose operations have the given number of steps. */
class World {
  readonly #definitions: Readonly<Record<OperationKind, Definition>>;
  readonly #store: SqliteStore;
  readonly #provider = new SimulatedProvider({
    clock: systemClock,
    delays: NO_DELAYS,
    statePath: null,
  });
  readonly #engine: EmbeddedEngine;
  #rounds = 0;

  constructor(path: string, steps: number) {
    this.#definitions = withSteps(steps);
    this.#store = openSqliteStore({ path });
    this.#engine = new EmbeddedEngine({
      store: this.#store,
      provider: this.#provider,
      clock: systemClock,
      ids: systemIds,
      definitions: this.#definitions,
    });
  }

  async operation(): Promise<{ readonly ms: number; readonly commits: number }> {
    const before = this.#store.commits;
    const ms = await timed(async () => {
      const name = `operations/${systemIds.uuid()}`;
      await admitBare(this.#store, name, `e-${this.#rounds++}`, this.#definitions);
      await this.#engine.start(name);
      await this.#engine.idle();
    });
    return { ms, commits: this.#store.commits - before };
  }

  async bytesOfAnEvent(): Promise<number> {
    const events = (await this.#store.events.read(0, 1_000)).slice(-5);
    const bytes = events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
    return Math.round(bytes / events.length);
  }

  async close(): Promise<void> {
    await this.#engine.close();
    await this.#provider.close();
    await this.#store.close();
  }
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
