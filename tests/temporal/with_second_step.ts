import { type Fault, faultyDefinitions } from "../fakes/faulty_definitions.ts";

/** The second step of a creation does this in place of its own; the first has been done. */
export const withSecondStep = (fault: Pick<Fault, "run" | "undo">) =>
  faultyDefinitions([{ kind: "environment.create", step: "apply_policies", ...fault }]).definitions;
