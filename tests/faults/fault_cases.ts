/** What can go wrong with a step, and how its operation must then end, on any engine. */
import assert from "node:assert/strict";
import { MpcError, type Operation, type OperationState } from "@mpc/domain";
import type { Definition } from "@mpc/services/sagas";
import { type Fault, hang, permanent, transient } from "../fakes/faulty_definitions.ts";
import { cancel, crash, mark, type Trial } from "./trial.ts";

/** One way in which a step fails. */
export interface FaultCase {
  readonly title: string;
  readonly fault: (trial: Trial) => Pick<Fault, "run" | "undo">;
  readonly expected: (definition: Definition, index: number) => OperationState;
  /** Whether the fault makes sense for a step; by default for all. */
  readonly applies?: (definition: Definition, index: number) => boolean;
  readonly crashes?: true;
  /** What else must hold of the operation when it has ended. */
  readonly check?: (operation: Operation, step: string) => void;
}

const succeeds = (): OperationState => "SUCCEEDED";
const fails = (): OperationState => "FAILED";
const cancels = (): OperationState => "CANCELLED";
const isUndoable = (definition: Definition, index: number) => !!definition.steps[index]?.undo;

const SECOND = 1_000;

/** The cluster of an operation, which does not answer for a while after the first call. */
function outageOf({ platform: { clock } }: Trial, ms: number): () => void {
  let end: number | undefined;
  return () => {
    end ??= clock.now() + ms;
    if (clock.now() < end) throw away();
  };
}

const away = () =>
  new MpcError("UNAVAILABLE", {
    reason: "CLUSTER_UNREACHABLE",
    message: "Cannot apply it: cluster 'default' cannot be reached",
    metadata: { cluster: "default" },
  });

/** A step whose cluster is away, before it does anything or when its answer is due. */
function outage(when: "begins" | "is done", seconds: number): FaultCase {
  return {
    title: `finds its cluster away for ${seconds} s when it ${when}`,
    fault: (trial) => {
      const assertThere = outageOf(trial, seconds * SECOND);
      return {
        run: async (run, call) => {
          if (when === "begins" || call > 1) assertThere();
          const output = await run();
          if (when === "is done") assertThere();
          return output;
        },
      };
    },
    expected: succeeds,
    // The records are not on a cluster: their steps have less time.
    applies: ({ steps }, index) => steps[index]!.retry.budgetMs > 2 * MINUTE,
    check: ({ steps }, name) => {
      const { attempts, progress } = steps.find((step) => step.name === name)!;
      assert.deepEqual(attempts.map(({ number, error }) => [number, error]), [[1, null]]);
      assert.doesNotMatch(progress, /has not answered/, "the outage is over");
    },
  };
}

const MINUTE = 60 * SECOND;

/** Every way in which a step fails. */
export const FAULTS: readonly FaultCase[] = [
  {
    title: "fails permanently",
    fault: () => ({ run: () => Promise.reject(permanent()) }),
    expected: fails,
  },
  {
    title: "fails twice, then succeeds",
    fault: () => ({ run: (run, call) => call <= 2 ? Promise.reject(transient()) : run() }),
    expected: succeeds,
  },
  {
    title: "is done, but its response is lost",
    fault: () => ({
      run: async (run, call) => {
        const output = await run();
        if (call === 1) throw transient();
        return output;
      },
    }),
    expected: succeeds,
  },
  {
    title: "fails until its retries are used up",
    fault: () => ({ run: () => Promise.reject(transient()) }),
    expected: fails,
  },
  {
    title: "hangs past its timeout, then succeeds",
    fault: () => ({ run: (run, call) => call === 1 ? hang() : run() }),
    // A step that waits has one long attempt: when it hangs, its budget is used up.
    expected: ({ steps }, index) =>
      steps[index]!.attemptTimeoutMs < steps[index]!.retry.budgetMs ? "SUCCEEDED" : "FAILED",
  },
  {
    title: "runs twice",
    fault: () => ({
      run: async (run) => {
        await run();
        return await run();
      },
    }),
    expected: succeeds,
  },
  {
    title: "is cancelled while it runs",
    fault: (trial) => ({
      run: async (run, _call, { signal }) => {
        await cancel(trial);
        signal.throwIfAborted();
        return await run();
      },
    }),
    expected: cancels,
  },
  {
    title: "is cancelled while it waits for its next attempt",
    fault: (trial) => ({
      run: async (_run, call) => {
        if (call === 2) await cancel(trial);
        throw transient();
      },
    }),
    expected: cancels,
  },
  {
    title: "is cancelled when it is done",
    fault: (trial) => ({
      run: async (run) => {
        const output = await run();
        await mark(trial);
        return output;
      },
    }),
    expected: ({ steps }, index) => index === steps.length - 1 ? "SUCCEEDED" : "CANCELLED",
  },
  {
    title: "crashes before it does anything",
    fault: ({ platform }) => ({
      run: (run, call) => call === 1 ? crash(platform) : run(),
    }),
    expected: succeeds,
    crashes: true,
  },
  {
    title: "crashes in the middle",
    fault: ({ platform }) => ({
      run: (run, call) => call === 1 ? Promise.race([crash(platform), run().then(hang)]) : run(),
    }),
    expected: succeeds,
    crashes: true,
  },
  {
    title: "crashes when it is done, before that is journaled",
    fault: ({ platform }) => ({
      run: async (run, call) => {
        const output = await run();
        if (call === 1) await crash(platform);
        return output;
      },
    }),
    expected: succeeds,
    crashes: true,
  },
  {
    title: "fails permanently, and so does its undo",
    fault: () => ({
      run: () => Promise.reject(permanent()),
      undo: () => Promise.reject(permanent()),
    }),
    expected: () => "NEEDS_ATTENTION",
    applies: isUndoable,
  },
  {
    title: "is done and fails permanently, its undo fails twice, then succeeds",
    fault: () => ({
      run: async (run) => {
        await run();
        throw permanent();
      },
      undo: (undo, call) => call <= 2 ? Promise.reject(transient()) : undo(),
    }),
    expected: fails,
    applies: isUndoable,
  },
  {
    title: "fails permanently, its undo runs twice",
    fault: () => ({
      run: async (run) => {
        await run();
        throw permanent();
      },
      undo: async (undo) => {
        await undo();
        await undo();
      },
    }),
    expected: fails,
    applies: isUndoable,
  },
  {
    title: "fails permanently, and a crash interrupts its undo",
    fault: ({ platform }) => ({
      run: () => Promise.reject(permanent()),
      undo: (undo, call) => call === 1 ? crash(platform) : undo(),
    }),
    expected: fails,
    applies: isUndoable,
    crashes: true,
  },
  {
    title: "fails permanently, and its undo cannot be cancelled",
    fault: (trial) => ({
      run: () => Promise.reject(permanent()),
      undo: async (undo) => {
        await cancel(trial);
        await undo();
      },
    }),
    expected: fails,
    applies: isUndoable,
  },
  ...[7, 25, 120].flatMap((seconds) => [outage("begins", seconds), outage("is done", seconds)]),
  {
    title: "finds its cluster away until its time is up",
    fault: () => ({ run: () => Promise.reject(away()) }),
    expected: fails,
    check: ({ error }) => {
      assert.match(
        error?.message ?? "",
        /^Step '\w+' failed, because cluster 'default' has not answered since \S+Z: Cannot apply it/,
      );
      assert.equal(error?.reason, "CLUSTER_UNREACHABLE");
    },
  },
  {
    title: "is cancelled while it waits for its cluster",
    fault: (trial) => ({
      run: async (_run, call) => {
        if (call === 3) await cancel(trial);
        throw away();
      },
    }),
    expected: cancels,
  },
  {
    title: "crashes while it waits for its cluster",
    fault: ({ platform }) => ({
      run: (run, call) =>
        call === 2 ? crash(platform) : call === 1 ? Promise.reject(away()) : run(),
    }),
    expected: succeeds,
    crashes: true,
  },
  {
    title: "fails permanently, and its cluster is away for 120 s when it is undone",
    fault: (trial) => {
      const assertThere = outageOf(trial, 120 * SECOND);
      return {
        run: () => Promise.reject(permanent()),
        undo: async (undo) => {
          assertThere();
          await undo();
        },
      };
    },
    expected: fails,
    applies: (definition, index) =>
      isUndoable(definition, index) && definition.steps[index]!.retry.budgetMs > 2 * MINUTE,
    check: ({ steps }, name) => {
      const undos = steps.find((step) => step.name === name)!.attempts.filter(({ undo }) => undo);
      assert.deepEqual(undos.map(({ number, error }) => [number, error]), [[1, null]]);
    },
  },
];
