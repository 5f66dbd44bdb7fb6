/** The nouns of the platform and their rules: pure, without I/O and without a clock. */
export * from "./audit.ts";
export * from "./camel_case.ts";
export * from "./compare_values.ts";
export * from "./condition.ts";
export * from "./cluster_claim.ts";
export * from "./cluster_name.ts";
export * from "./dns.ts";
export * from "./environment.ts";
export * from "./environment_schema.ts";
export * from "./error_record.ts";
export * from "./errors.ts";
export * from "./etag.ts";
export * from "./event.ts";
export * from "./event_reasons.ts";
export * from "./event_sink.ts";
export * from "./filter.ts";
export * from "./filter_fields.ts";
export { matches, type Wildcard, wildcardOf } from "./filter_matches.ts";
export * from "./filter_parser.ts";
export * from "./list_orders.ts";
export * from "./ids.ts";
export * from "./image.ts";
export * from "./installation.ts";
export * from "./json.ts";
export * from "./labels.ts";
export * from "./lease.ts";
export * from "./made.ts";
export * from "./names.ts";
export * from "./operation.ts";
export * from "./orphan.ts";
export * from "./outage.ts";
export * from "./plan.ts";
export * from "./quantity.ts";
export * from "./requests.ts";
export {
  type Advice,
  adviceFor,
  ERROR_CODES,
  type ErrorCode,
  type ErrorReason,
  isReason,
  type ReasonOf,
  REASONS,
  type Responsible,
} from "./reasons.ts";
export * from "./redact.ts";
export * from "./resource.ts";
export * from "./retry_policy.ts";
export * from "./time.ts";
export * from "./token.ts";
export * from "./token_schema.ts";
export * from "./traceparent.ts";
export * from "./transitions.ts";
export * from "./workload.ts";
export * from "./workload_parts.ts";
export * from "./workload_schema.ts";
