/** The workflow types: one for each operation kind, with its name; one for each periodic pass. */
export {
  runOperation as "environment.abandon",
  runOperation as "environment.create",
  runOperation as "environment.delete",
  runOperation as "environment.update",
  runOperation as "platform.claim",
  runOperation as "platform.sweep",
  runOperation as "workload.abandon",
  runOperation as "workload.delete",
  runOperation as "workload.deploy",
} from "./run_operation.ts";
export {
  runPass as drift_pass,
  runPass as expiry_pass,
  runPass as janitor_pass,
  runPass as retention_pass,
} from "./run_pass.ts";
