import { type JsonObject, type MpcError, type OperationKind, uncheckedError } from "@mpc/domain";
import { type Definition, DEFINITIONS, type Step, type StepContext } from "@mpc/services/sagas";

/** The fault of one step of one kind. */
export interface Fault {
  readonly kind: OperationKind;
  readonly step: string;
  /** Replaces the step's run; `run` is the real one. */
  readonly run?: (
    run: () => Promise<JsonObject | void>,
    call: number,
    context: StepContext,
  ) => Promise<JsonObject | void>;
  /** Replaces the step's undo; `undo` is the real one. */
  readonly undo?: (undo: () => Promise<void>, call: number, context: StepContext) => Promise<void>;
}

/** Definitions with faults, and a count of how often each was reached. */
export function faultyDefinitions(faults: readonly Fault[]): {
  readonly definitions: Readonly<Record<OperationKind, Definition>>;
  readonly reached: (fault: Fault) => number;
} {
  const runs = new Map<Fault, number>();
  const undos = new Map<Fault, number>();
  const count = (calls: Map<Fault, number>, fault: Fault) => {
    const call = (calls.get(fault) ?? 0) + 1;
    calls.set(fault, call);
    return call;
  };
  const definitions = { ...DEFINITIONS };
  for (const kind of Object.keys(DEFINITIONS) as OperationKind[]) {
    const definition = DEFINITIONS[kind];
    const steps = definition.steps.map((step): Step<JsonObject> => {
      const mine = faults.filter((fault) => fault.kind === kind && fault.step === step.name);
      const running = mine.find((fault) => fault.run);
      const undoing = mine.find((fault) => fault.undo);
      return {
        ...step,
        run: (context, input) =>
          running?.run
            ? running.run(() => step.run(context, input), count(runs, running), context)
            : step.run(context, input),
        ...(step.undo && {
          undo: (context: StepContext, input: JsonObject) =>
            undoing?.undo
              ? undoing.undo(() => step.undo!(context, input), count(undos, undoing), context)
              : step.undo!(context, input),
        }),
      };
    });
    definitions[kind] = { ...definition, steps } as Definition;
  }
  return { definitions, reached: (fault) => runs.get(fault) ?? 0 };
}

export const permanent = (): MpcError =>
  uncheckedError("FAILED_PRECONDITION", "INJECTED", {
    message: "an injected permanent fault",
  });

export const transient = (): MpcError =>
  uncheckedError("UNAVAILABLE", "INJECTED", { message: "an injected passing fault" });

/** Never ends, and ignores its signal. */
export const hang = (): Promise<never> => new Promise(() => {});
