import type { Operation } from "@mpc/domain";
import type { Finding } from "@mpc/services";
import type { PlatformSweepInput } from "@mpc/services/sagas";

/**
 * Recognizes the findings that operations in NEEDS_ATTENTION explain: these operations themselves,
 * and what they have left of their own targets, or what a sweep was to remove; and deletions that did
 * not succeed. A finding about any other resource is a bug.
 */
export function leftBehindBy(operations: readonly Operation[]): (finding: Finding) => boolean {
  // A sweep that ended early has left some of what was to be removed.
  const swept = new Set(
    operations.flatMap(({ kind, state, input }) =>
      kind === "platform.sweep" && state !== "SUCCEEDED"
        ? (input as PlatformSweepInput).leftovers.map(({ target }) => target)
        : []
    ),
  );
  const stuck = operations.filter(({ state, kind }) =>
    // The janitor has yet to remove what was abandoned.
    state === "NEEDS_ATTENTION" || kind.endsWith(".abandon")
  );
  const isLeft = (name: string) =>
    stuck.some(({ target }) => name === target || name.startsWith(`${target}/`));
  const undeleted = operations.filter(({ kind, state }) =>
    /\.(delete|abandon)$/.test(kind) && state !== "SUCCEEDED"
  );
  return ({ invariant, subject, message }) => {
    switch (invariant) {
      case "DELETION_FAILED":
        return undeleted.some(({ target }) =>
          subject === target || subject.startsWith(`${target}/`)
        );
      case "OPERATION_NEEDS_ATTENTION":
        return stuck.some(({ name }) => name === subject);
      case "WRONG_REVISION":
        return isLeft(subject);
      case "OBJECT_WITHOUT_RECORD":
        return isLeft(ownerIn(message)) || swept.has(ownerIn(message));
      default:
        return false;
    }
  };
}

const ownerIn = (message: string): string => /'(environments\/[^']+)'/.exec(message)?.[1] ?? "";
