import { abortedByCaller, type MpcError } from "@mpc/domain";
import { type Clock, sleepUnlessAborted } from "@mpc/services";
import { type ChartRef, helmMissing, helmTooSlow, outputTooLarge } from "./helm_errors.ts";
import type { HelmOptions } from "./helm_options.ts";

export interface HelmOutput {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Error messages are short; the rest is discarded. */
const MAX_STDERR_BYTES = 64 * 1024;

/**
 * Runs helm without our environment variables, which charts must not see.
 * @param stdin for secret values, because other users of the machine can see arguments
 * @throws {MpcError} FAILED_PRECONDITION `HELM_MISSING`, `CHART_TOO_LARGE`; DEADLINE_EXCEEDED
 *   `HELM_TIMEOUT`; CANCELLED `ABORTED_BY_CALLER`
 */
export async function runHelm(
  options: HelmOptions,
  clock: Clock,
  ref: ChartRef,
  args: readonly string[],
  stdin: string,
  signal: AbortSignal,
): Promise<HelmOutput> {
  const { timeoutMs, maxOutputBytes } = options;
  if (signal.aborted) throw aborted(ref, signal);
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  const helm = start(options, ref, args);
  let ended = false;
  helm.status.then(() => ended = true);
  // Helm has nothing to clean up, so it is killed at once.
  stopped.addEventListener("abort", () => ended || helm.kill("SIGKILL"), { once: true });
  let late = false;
  const timer = sleepUnlessAborted(clock, timeoutMs, stopped).then((slept) => {
    // Otherwise Helm finished first, or the caller aborted.
    if (!slept) return;
    late = true;
    stop.abort();
  });
  const [stdout, stderr] = [new LimitedBuffer(maxOutputBytes), new LimitedBuffer(MAX_STDERR_BYTES)];
  try {
    const [status] = await Promise.all([
      helm.status,
      write(helm.stdin, stdin),
      stdout.read(helm.stdout, () => stop.abort()),
      stderr.read(helm.stderr, () => {}),
    ]);
    if (signal.aborted) throw aborted(ref, signal);
    if (late) throw helmTooSlow(ref, String(timeoutMs));
    if (stdout.isTooLarge) throw outputTooLarge(ref, String(maxOutputBytes));
    return { success: status.success, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    stop.abort();
    await timer;
  }
}

function start(
  { helm, cacheFolder, registryConfig }: HelmOptions,
  ref: ChartRef,
  args: readonly string[],
): Deno.ChildProcess {
  const home = cacheFolder ?? NOWHERE;
  try {
    return new Deno.Command(helm, {
      args: [...args],
      clearEnv: true,
      env: {
        HELM_CACHE_HOME: `${home}/cache`,
        HELM_CONFIG_HOME: `${home}/config`,
        HELM_DATA_HOME: `${home}/data`,
        HELM_NO_PLUGINS: "1",
        ...(registryConfig !== null && { HELM_REGISTRY_CONFIG: registryConfig }),
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw helmMissing(ref, helm, "it is not there");
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) {
      throw helmMissing(ref, helm, "it is not allowed");
    }
    throw error;
  }
}

/** A chart from a folder needs no files of helm itself. */
const NOWHERE = "/nonexistent";

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    // Helm ended without reading its input: its exit code and output say why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Collects a stream up to a limit, and discards the rest. */
class LimitedBuffer {
  readonly #maxBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isTooLarge(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  async read(stream: ReadableStream<Uint8Array>, onTooLarge: () => void): Promise<void> {
    for await (const chunk of stream) {
      this.#bytes += chunk.length;
      if (!this.isTooLarge) this.#chunks.push(chunk);
      else onTooLarge();
    }
  }

  text(): string {
    const decoder = new TextDecoder();
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
  }
}

const aborted = ({ workload }: ChartRef, signal: AbortSignal): MpcError =>
  abortedByCaller(`render '${workload}'`, signal.reason);
