/** One fault that is put into the code on purpose; the tests that own the code have to fail. */
export interface Mutant {
  /** What the fault does, as a defect report would say it. */
  readonly fault: string;
  /** Path of the source file, from the repository's root. */
  readonly file: string;
  /** Text of the file; it must occur exactly once, else the mutant is stale. */
  readonly find: string;
  readonly replace: string;
  /** Test files, small and fast, of which one must fail. */
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
