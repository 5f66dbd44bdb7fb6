/** The page of `mpctl top`, formatted for people. */
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type {
  GetActivityResponse,
  GetServerInfoResponse,
  MethodActivity,
  Operation,
} from "@mpc/proto";
import { OperationState } from "@mpc/proto";
import { idOf } from "../names.ts";
import { currentStep } from "./steps.ts";
import { renderTable } from "./table.ts";
import { age, elapsed } from "./time.ts";

/** What was read at one moment. */
export interface TopSample {
  readonly info: GetServerInfoResponse;
  readonly activity: GetActivityResponse;
  /** Operations that have not ended, newest first. */
  readonly operations: readonly Operation[];
  /** Whether there are more of them. */
  readonly more: boolean;
  /** Names of operations on which nothing works. */
  readonly stalled: ReadonlySet<string>;
  /** When it was read, by a monotonic clock. */
  readonly atMs: number;
}

/** Methods and operations that are shown at most. */
const MAX_ROWS = 15;

const ID_LENGTH = 8;

/**
 * The page of one sample, as lines.
 * @param before an earlier sample, from which rates and latencies are made; without it they are
 *   those since the process began
 * @param server its address
 */
export async function topView(
  sample: TopSample,
  before: TopSample | undefined,
  server: string,
  now = Date.now(),
): Promise<readonly string[]> {
  const { info, activity } = sample;
  const parts = [info.engine, info.storage, info.provider].join(", ");
  const up = activity.startTime ? `, up ${age(activity.startTime, now)}` : "";
  return [
    `mpc ${info.version} at ${server} (${parts})${up}`,
    "",
    ...await operationLines(sample, now),
    "",
    ...await callLines(sample, before, now),
  ];
}

async function operationLines(
  { operations, more, stalled }: TopSample,
  now: number,
): Promise<readonly string[]> {
  const waiting = operations.filter(({ state }) => state === OperationState.PENDING).length;
  const counts = [
    `${operations.length - waiting} running`,
    `${waiting} waiting`,
    ...(stalled.size > 0 ? [`${stalled.size} stalled`] : []),
  ];
  const title = `Operations: ${counts.join(", ")}${more ? ", and more" : ""}`;
  if (operations.length === 0) return [title];
  const order = (operation: Operation) => stalled.has(operation.name) ? 0 : 1;
  const rows = operations.toSorted((a, b) => order(a) - order(b)).slice(0, MAX_ROWS)
    .map((operation) => [
      idOf(operation.name).slice(0, ID_LENGTH),
      operation.kind,
      operation.target,
      stalled.has(operation.name) ? "STALLED" : OperationState[operation.state],
      age(operation.createTime, now),
      operation.actor,
      operation.waitingReason || currentStep(operation, now),
    ]);
  const headers = ["ID", "KIND", "TARGET", "STATE", "AGE", "ACTOR", "AT"];
  return [title, ...await tableLines(headers, rows)];
}

async function callLines(
  sample: TopSample,
  before: TopSample | undefined,
  now: number,
): Promise<readonly string[]> {
  // A server that was restarted counts from zero again.
  const same = before && timestampOf(before) === timestampOf(sample) ? before : undefined;
  const seconds = same
    ? (sample.atMs - same.atMs) / 1_000
    : (now - (timestampOf(sample) ?? now)) / 1_000;
  const methods = sample.activity.methods
    .map((method) => difference(method, same?.activity.methods))
    .filter(({ calls, running }) => calls > 0 || running > 0)
    .toSorted((a, b) => b.calls - a.calls || b.running - a.running);
  const total = methods.reduce((sum, { calls }) => sum + calls, 0);
  const running = methods.reduce((sum, method) => sum + method.running, 0);
  const period = same ? `in the last ${elapsed(seconds * 1_000)}` : "since the server began";
  const title = `Calls ${period}: ${rate(total, seconds)}, ${running} running`;
  if (methods.length === 0) return [title];
  const rows = methods.slice(0, MAX_ROWS).map((method) => [
    method.name,
    rate(method.calls, seconds),
    String(method.failures),
    String(method.running),
    latency(method, 0.5),
    latency(method, 0.99),
  ]);
  const headers = ["METHOD", "RATE", "FAILED", "RUNNING", "P50", "P99"];
  return [title, ...await tableLines(headers, rows)];
}

/** The calls of one method in a period. */
interface MethodFigures {
  readonly name: string;
  readonly running: number;
  readonly calls: number;
  readonly failures: number;
  /** Upper bounds in milliseconds, with the calls up to them. */
  readonly buckets: readonly (readonly [upperMs: number, calls: number])[];
}

function difference(
  { method, running, calls, failures, buckets }: MethodActivity,
  before: readonly MethodActivity[] = [],
): MethodFigures {
  const known = before.find((other) => other.method === method);
  return {
    name: method.replace(/^.*\./, ""),
    running,
    calls: Number(calls - (known?.calls ?? 0n)),
    failures: Number(failures - (known?.failures ?? 0n)),
    buckets: buckets.map(({ upperBound, calls }, at) => [
      upperBound ? durationMs(upperBound) : 0,
      Number(calls - (known?.buckets[at]?.calls ?? 0n)),
    ]),
  };
}

/**
 * The latency that a share of calls stayed below, interpolated in its bucket as Prometheus'
 * `histogram_quantile` does; `-` without calls, and for streams.
 */
function latency({ calls, buckets }: MethodFigures, share: number): string {
  if (calls === 0 || buckets.length === 0) return "-";
  const wanted = share * calls;
  let lower: readonly [number, number] = [0, 0];
  for (const bucket of buckets) {
    if (bucket[1] >= wanted) {
      const within = (wanted - lower[1]) / (bucket[1] - lower[1]);
      return milliseconds(lower[0] + (bucket[0] - lower[0]) * within);
    }
    lower = bucket;
  }
  return `>${milliseconds(lower[0])}`;
}

const milliseconds = (ms: number): string => ms < 10 ? `${ms.toFixed(1)}ms` : elapsed(ms);

function rate(calls: number, seconds: number): string {
  const perSecond = seconds > 0 ? calls / seconds : 0;
  return `${perSecond >= 10 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`;
}

const timestampOf = ({ activity }: TopSample): number | undefined =>
  activity.startTime && timestampMs(activity.startTime);

async function tableLines(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<readonly string[]> {
  return (await renderTable(headers, rows)).trimEnd().split("\n");
}
