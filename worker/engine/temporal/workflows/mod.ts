/** The workflow types: one for each operation kind, called like it. */
export {
  runOperation as "environment.abandon",
  runOperation as "environment.create",
  runOperation as "environment.delete",
  runOperation as "environment.update",
  runOperation as "workload.abandon",
  runOperation as "workload.delete",
  runOperation as "workload.deploy",
} from "./run_operation.ts";
