import type { JsonObject, OperationKind } from "@mpc/domain";
import { type Definition, DEFINITIONS, type Step, type StepContext } from "@mpc/services/sagas";
import { hang, permanent, transient } from "./faulty_definitions.ts";

/** What can happen to the next step or undo. */
export const CHAOS = [
  "transient",
  "permanent",
  "hang",
  "twice",
  "lost answer",
  "bad undo",
] as const;

export type Mischief = (typeof CHAOS)[number];

/** Steps that misbehave as they are told, in the given order. */
export class Chaos {
  readonly definitions: Readonly<Record<OperationKind, Definition>>;
  #next: Mischief[] = [];

  constructor() {
    const definitions = { ...DEFINITIONS };
    for (const kind of Object.keys(DEFINITIONS) as OperationKind[]) {
      const definition = DEFINITIONS[kind];
      const steps = definition.steps.map((step) => this.#wrap(step));
      definitions[kind] = { ...definition, steps } as Definition;
    }
    this.definitions = definitions;
  }

  plan(mischief: Mischief): void {
    this.#next.push(mischief);
  }

  stop(): void {
    this.#next = [];
  }

  #wrap(step: Step<JsonObject>): Step<JsonObject> {
    const { undo } = step;
    return {
      ...step,
      run: (context, input) => this.#run(() => step.run(context, input)),
      ...(undo && {
        undo: async (context: StepContext, input: JsonObject) => {
          if (this.#take(["bad undo"])) throw permanent();
          await undo.call(step, context, input);
        },
      }),
    };
  }

  async #run(run: () => Promise<JsonObject | void>): Promise<JsonObject | void> {
    switch (this.#take(["transient", "permanent", "hang", "twice", "lost answer"])) {
      case "transient":
        throw transient();
      case "permanent":
        throw permanent();
      case "hang":
        return await hang();
      case "twice":
        await run();
        return await run();
      case "lost answer":
        await run();
        throw transient();
      default:
        return await run();
    }
  }

  #take(fitting: readonly Mischief[]): Mischief | undefined {
    const [first] = this.#next;
    if (!first || !fitting.includes(first)) return undefined;
    return this.#next.shift();
  }
}
