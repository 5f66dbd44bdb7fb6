import type { Operation } from "@mpc/domain";
import type { Finding } from "@mpc/services";

/**
 * Recognizes the findings that operations in NEEDS_ATTENTION explain: these operations themselves,
 * and what they have left of their own targets; and deletions that did not succeed. A finding about
 * any other resource is a bug.
 */
export function leftBehindBy(operations: readonly Operation[]): (finding: Finding) => boolean {
  const stuck = operations.filter(({ state }) => state === "NEEDS_ATTENTION");
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
        return isLeft(/'(environments\/[^']+)'/.exec(message)?.[1] ?? "");
      default:
        return false;
    }
  };
}
