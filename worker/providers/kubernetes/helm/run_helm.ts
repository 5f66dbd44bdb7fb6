import { abortedByCaller, type MpcError } from "@mpc/domain";
import type { Clock } from "@mpc/services";
import { type ChartRef, helmMissing, helmTooSlow, outputTooLarge } from "./helm_errors.ts";
import type { HelmOptions } from "./helm_options.ts";

/** What helm printed, and whether it was content. */
export interface HelmOutput {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Messages are short; what is longer is noise. */
const MAX_STDERR_BYTES = 64 * 1024;

/**
 * Runs helm, with nothing of our environment: it holds what is no business of a chart's.
 * @param stdin what it reads, and nobody else can: arguments are seen by all on a machine
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
  // It has nothing to put in order, so it is not asked.
  stopped.addEventListener("abort", () => ended || helm.kill("SIGKILL"), { once: true });
  let late = false;
  const timer = clock.sleep(timeoutMs, stopped).then(
    () => {
      late = true;
      stop.abort();
    },
    // Helm was done first, or the caller has gone.
    () => {},
  );
  const [stdout, stderr] = [new Gathered(maxOutputBytes), new Gathered(MAX_STDERR_BYTES)];
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

/** A chart of the folder needs none of helm's own files. */
const NOWHERE = "/nonexistent";

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    // It ended without reading: its status and its words say why.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** What a stream brings, up to a limit; what comes after that is read and let go. */
class Gathered {
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
