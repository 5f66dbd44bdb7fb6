import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Operation, OperationState, type StepAttempt } from "@mpc/proto";
import { between, elapsed } from "../output/time.ts";
import type { CommandTrace, TracedCall } from "./command_trace.ts";

/** A line of the tree, and the lines below it. */
interface Branch {
  readonly text: string;
  readonly took: string;
  readonly below?: readonly Branch[];
}

/**
 * The tree of a command: its calls as this process measured them, then the attempts of the operations
 * that the server told of, by the server's clock.
 */
export function drawTrace(
  { command, traceId, isExported, ms, ended, operations }: Pick<
    CommandTrace,
    "command" | "traceId" | "isExported" | "ms" | "ended" | "operations"
  >,
): string {
  const root: Branch = {
    text: command,
    took: elapsed(ms),
    below: [...ended.map(branchOfCall), ...operations.map(branchOfOperation)],
  };
  const lines = [[root.text, root.took] as const, ...drawn(root.below ?? [], "")];
  const width = Math.max(...lines.map(([text]) => text.length));
  const exported = isExported
    ? "mpctl's spans are exported"
    : "mpctl's spans are not exported: no OpenTelemetry in this process";
  return [
    `Trace ${traceId} (${exported})`,
    ...lines.map(([text, took]) => `${text.padEnd(width)}  ${took}`.trimEnd()),
  ].map((line) => `${line}\n`).join("");
}

function drawn(
  branches: readonly Branch[],
  indent: string,
): readonly (readonly [text: string, took: string])[] {
  return branches.flatMap(({ text, took, below = [] }, index) => {
    const isLast = index === branches.length - 1;
    return [
      [`${indent}${isLast ? "└─ " : "├─ "}${text}`, took] as const,
      ...drawn(below, `${indent}${isLast ? "   " : "│  "}`),
    ];
  });
}

const branchOfCall = ({ method, code, ms }: TracedCall): Branch => ({
  text: code === "OK" ? method : `${method} ${code}`,
  took: elapsed(ms),
});

function branchOfOperation(operation: Operation): Branch {
  const { kind, target, state, createTime, startTime, endTime, steps } = operation;
  const attempts = steps.flatMap(({ name, attempts }) =>
    attempts.map((attempt, index) => ({ name, attempt, before: attempts[index - 1] }))
  ).toSorted((a, b) => startOf(a.attempt) - startOf(b.attempt));
  return {
    text: `${kind} of ${target} ${OperationState[state]}`,
    took: endTime ? between(createTime, endTime) : "continues",
    below: [
      ...(startTime ? [{ text: "waits to begin", took: between(createTime, startTime) }] : []),
      ...attempts.flatMap(({ name, attempt, before }) => [
        ...pauseBefore(name, attempt, before),
        branchOfAttempt(name, attempt),
      ]),
    ],
  };
}

/** The time between two attempts of one step, or of its undo. */
function pauseBefore(
  name: string,
  { undo, startTime }: StepAttempt,
  before: StepAttempt | undefined,
): readonly Branch[] {
  if (!before || before.undo !== undo || !before.endTime) return [];
  return [{ text: `${name} waits for its next attempt`, took: between(before.endTime, startTime) }];
}

function branchOfAttempt(
  name: string,
  { undo, number, error, startTime, endTime }: StepAttempt,
): Branch {
  const what = `${undo ? "undo of " : ""}${name}${number > 1 ? `, attempt ${number}` : ""}`;
  return {
    text: error ? `${what} ${error.reason}` : what,
    took: endTime ? between(startTime, endTime) : "continues",
  };
}

const startOf = ({ startTime }: StepAttempt): number => startTime ? timestampMs(startTime) : 0;
