/** The rule of clocks: who may read them and set timers without the `Clock` port. */
import type { SourceFile } from "./module_graph.ts";

type Kind = "wall" | "monotonic";

/** Moments come from the wall clock; intervals, and timers, go by the monotonic one. */
const READS: Readonly<Record<Kind, RegExp>> = {
  wall: /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/,
  monotonic:
    /\bperformance\.now\b|\bhrtime\b|(?<![.\w])set(?:Timeout|Interval)\(|\bAbortSignal\.timeout\b/,
};

/** Files, and folders, that read a clock themselves, with the reason. */
export const CLOCK_READERS: readonly (readonly [path: string, kind: Kind, why: string])[] = [
  ["process/system_clock.ts", "wall", "the clock"],
  ["process/logging/logging.ts", "wall", "when a line is logged"],
  ["process/", "monotonic", "the clock, and the process's own measurements"],
  ["api/", "monotonic", "limits of connections and calls, tested on real sockets"],
  ["api/grpc/long_deadlines.ts", "wall", "grpc-js asks for a deadline as a moment"],
  ["api/grpc/call_context.ts", "wall", "the moment that long_deadlines.ts gave, taken back"],
  ["telemetry/", "monotonic", "measurements of this process, and the patience of a scrape"],
  ["platform/platform.ts", "monotonic", "limits how long a store may take to be ready"],
  ["storage/sqlite/", "monotonic", "waits for locks; storage does not know the port"],
  ["storage/mongodb/", "monotonic", "deadlines and polls of a real server, as above"],
  ["storage/mongodb/block_chain.ts", "wall", "the monotonic clock stands still in sleep"],
  ["storage/mongodb/event_log.ts", "wall", "the age of blocks, which other machines wrote"],
  ["worker/providers/simulated/state_file.ts", "monotonic", "waits for a lock, synchronously"],
  ["worker/providers/simulated/simulated_cluster.ts", "monotonic", "polls a real file"],
  ["worker/engine/temporal/install_runtime.ts", "monotonic", "the patience of a scrape"],
  ["worker/engine/temporal/heartbeat.ts", "monotonic", "tells a real server that we live"],
  ["worker/engine/temporal/connect.ts", "wall", "Temporal's client takes a deadline as a moment"],
  ["worker/engine/temporal/temporal_host.ts", "wall", "the same"],
  ["worker/engine/temporal/workflows/", "wall", "Temporal replaces it by the workflow's time"],
  ["worker/internal/listening_with_tls.ts", "monotonic", "limits of connections, as in api/"],
  ["client/", "monotonic", "programs of users have no port"],
  ["client/grpc_transport.ts", "wall", "grpc-js takes a deadline as a moment"],
  ["cli/", "monotonic", "as client/"],
  ["ui/islands/", "wall", "runs in browsers"],
  ["ui/islands/", "monotonic", "the same"],
  ["ui/live/", "monotonic", "heartbeats and lingering of streams to browsers"],
  ["cli/credentials/", "wall", "whether a token has expired, and how old a file is"],
  ["cli/manifests/expiry.ts", "wall", "whether a moment has passed"],
  ["cli/output/", "wall", "ages as they are shown"],
  ["cli/commands/operations.ts", "wall", "ages as they are shown"],
  ["cli/commands/print_notes.ts", "wall", "ages as they are shown"],
  ["cli/commands/logs.ts", "wall", "`--since` is a moment"],
  ["cli/commands/audit.ts", "wall", "`--since` is a moment"],
];

/** Reads of clocks that the list does not have, as `path: wall`. */
export function clockReaders(files: readonly SourceFile[]): readonly string[] {
  return readsOf(files).filter(({ path, kind }) =>
    !CLOCK_READERS.some((reader) => covers(reader, path, kind))
  ).map(({ path, kind }) => `${path}: ${kind}`);
}

/** Entries of the list that nothing needs. */
export function idleEntries(files: readonly SourceFile[]): readonly string[] {
  const reads = readsOf(files);
  return CLOCK_READERS.filter((reader) =>
    !reads.some(({ path, kind }) => covers(reader, path, kind))
  ).map(([path, kind]) => `${path}: ${kind}`);
}

function readsOf(
  files: readonly SourceFile[],
): readonly { readonly path: string; readonly kind: Kind }[] {
  return files.filter(({ path }) =>
    !path.startsWith("tests/") && !path.startsWith("proto/") && !/_test\.tsx?$/.test(path)
  ).flatMap(({ path, text }) =>
    (["wall", "monotonic"] as const).filter((kind) => READS[kind].test(text))
      .map((kind) => ({ path, kind }))
  );
}

const covers = (
  [allowed, kind]: (typeof CLOCK_READERS)[number],
  path: string,
  read: Kind,
): boolean =>
  kind === read && (allowed.endsWith("/") ? path.startsWith(allowed) : path === allowed);
