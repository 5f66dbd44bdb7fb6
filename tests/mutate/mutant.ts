/** A deliberate fault in the code, which the tests that own the code must notice. */
export interface Mutant {
  /** The effect of the fault, as a bug report would describe it. */
  readonly fault: string;
  /** Path of the source file, from the repository's root. */
  readonly file: string;
  /** Text in the file. It must occur exactly once, otherwise the mutant is stale. */
  readonly find: string;
  readonly replace: string;
  /** Small and fast test files, one of which must fail. */
  readonly tests: readonly string[];
}

/** The mutants of one file, which share its tests. */
export function mutantsOf(
  file: string,
  tests: readonly string[],
  faults: readonly (readonly [fault: string, find: string, replace: string])[],
): readonly Mutant[] {
  return faults.map(([fault, find, replace]) => ({ fault, file, find, replace, tests }));
}
