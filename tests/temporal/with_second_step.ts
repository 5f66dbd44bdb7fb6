import { type Fault, faultyDefinitions } from "../fakes/faulty_definitions.ts";

/** Definitions in which the second step of a creation has this fault. */
export const withSecondStep = (fault: Pick<Fault, "run" | "undo">) =>
  faultyDefinitions([{ kind: "environment.create", step: "apply_policies", ...fault }]).definitions;
