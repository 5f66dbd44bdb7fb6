/** The nouns of the platform and their rules: pure, without I/O and without a clock. */
export * from "./condition.ts";
export * from "./environment.ts";
export * from "./error_record.ts";
export * from "./errors.ts";
export * from "./event.ts";
export * from "./filter.ts";
export * from "./ids.ts";
export * from "./json.ts";
export * from "./names.ts";
export * from "./operation.ts";
export * from "./orphan.ts";
export * from "./plan.ts";
export * from "./resource.ts";
export * from "./retry_policy.ts";
export * from "./time.ts";
export * from "./transitions.ts";
export * from "./workload.ts";
