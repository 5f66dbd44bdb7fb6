/** Errors of charts. */
import {
  errorFor,
  type ErrorReason,
  type FieldViolation,
  type JsonValue,
  type MpcError,
} from "@mpc/domain";
import { redactFrom } from "../redact.ts";

export interface ChartRef {
  /** Id of the workload. */
  readonly workload: string;
  readonly chart: string;
}

type ChartError = (ref: ChartRef, ...facts: readonly string[]) => MpcError;

const chartError = (reason: ErrorReason, told: (...facts: string[]) => string): ChartError =>
(
  { workload, chart },
  ...facts
) =>
  errorFor(reason, {
    message: `Cannot render '${workload}' of chart '${chart}': ${told(...facts)}`,
    retryable: reason === "HELM_TIMEOUT",
    metadata: { workload, chart },
  });

export const helmMissing = chartError(
  "HELM_MISSING",
  (helm = "", problem = "") =>
    `the worker cannot run '${helm}' (${problem}); install Helm 3 on its machine, or configure its path, and grant --allow-run for it`,
);

export const helmTooSlow = chartError(
  "HELM_TIMEOUT",
  (timeout = "") => `helm did not finish within ${timeout} ms`,
);

export const outputTooLarge = chartError(
  "CHART_TOO_LARGE",
  (limit = "") => `it renders more than ${limit} bytes`,
);

export const chartNotFound = chartError(
  "CHART_NOT_FOUND",
  (version = "", found = "") =>
    `the server has no version ${version} of it${found && `, only ${found}`}`,
);

export const noCharts = chartError(
  "CHARTS_UNSUPPORTED",
  () => "the worker has no folder of charts; name an image, or give it one",
);

export const repositoryRefused = chartError(
  "CHART_REPOSITORY_REFUSED",
  (allowed = "") => `it is in a registry that is not allowed (allowed: ${allowed || "none"})`,
);

export const hookRefused = chartError(
  "CHART_HOOK_REFUSED",
  (object = "", hook = "") =>
    `${object} is a hook (${hook}), which the worker does not run; leave it out by the chart's values, or allow hooks`,
);

export const kindRefused = chartError(
  "CHART_KIND_REFUSED",
  (object = "") =>
    `it makes ${object}, and charts may not make that kind; leave it out by the chart's values, or allow the kind`,
);

export const namespaceRefused = chartError(
  "CHART_NAMESPACE_REFUSED",
  (object = "", namespace = "", wanted = "") =>
    `${object} is for namespace '${namespace}', must be for '${wanted}'`,
);

export const outputInvalid = chartError(
  "CHART_OUTPUT_INVALID",
  (problem = "") => `its output is not a list of objects: ${problem}`,
);

/** A line of helm's output about one value that the chart's schema rejects. */
const VALUE_PROBLEM = /^- at '([^']*)': (.+)$/;

/** The beginning of a schema error that quotes the value. */
const QUOTED_VALUE = /^'.*' (?=does not match|is not valid)/;

/** The error of a failed helm. @param values are redacted from its output */
export function helmFailed(ref: ChartRef, stderr: string, values: JsonValue): MpcError {
  const told = redactFrom(stderr, values);
  const violations = told.split("\n").flatMap((line): FieldViolation[] => {
    const [, path, problem] = VALUE_PROBLEM.exec(line) ?? [];
    if (path === undefined || problem === undefined) return [];
    const field = `workload.spec.chart.values${path.replaceAll("/", ".")}`;
    const hint = problem.replace(QUOTED_VALUE, "");
    return [{ field, value: "", rule: "CHART_SCHEMA", hint }];
  });
  const { workload, chart } = ref;
  const refused = violations.map(({ field, hint }) => `${field} ${hint}`).join("; ");
  return errorFor(refused ? "CHART_VALUES_INVALID" : "CHART_FAILED", {
    message: `Cannot render '${workload}' of chart '${chart}': ${
      refused ? `its schema refuses values: ${refused}` : essence(told)
    }`,
    retryable: false,
    metadata: { workload, chart },
    violations,
  });
}

/** Helm's message without the hints for its command line. */
function essence(stderr: string): string {
  const text = stderr.replace(/^Error: /, "").replace(/\n*Use --debug flag[^]*$/, "").trim();
  return text.slice(0, 2_000) || "helm failed without output";
}
