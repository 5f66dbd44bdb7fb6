/** Every fault that the tests of the core must notice. */
import type { Mutant } from "../mutant.ts";
import { ADMISSION } from "./admission.ts";
import { ENGINE } from "./engine.ts";
import { GRPC } from "./grpc.ts";
import { HOUSEKEEPING } from "./housekeeping.ts";
import { READS } from "./reads.ts";
import { SAGAS } from "./sagas.ts";
import { STORAGE } from "./storage.ts";

export const MUTANTS: readonly Mutant[] = [
  ...SAGAS,
  ...ENGINE,
  ...ADMISSION,
  ...STORAGE,
  ...READS,
  ...HOUSEKEEPING,
  ...GRPC,
];
