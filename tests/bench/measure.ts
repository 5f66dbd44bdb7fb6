/** The median of some numbers, or another quantile `p`. */
export function quantile(values: readonly number[], p = 0.5): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? NaN;
}

/** How long something takes, in milliseconds. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Runs `call` for `ms`, `inFlight` at once. @returns calls per second */
export async function rate(
  call: () => Promise<unknown>,
  options: { readonly ms: number; readonly inFlight: number },
): Promise<number> {
  const start = performance.now();
  const end = start + options.ms;
  let calls = 0;
  await Promise.all(Array.from({ length: options.inFlight }, async () => {
    while (performance.now() < end) {
      await call();
      calls++;
    }
  }));
  return calls / ((performance.now() - start) / 1_000);
}

/**
 * Measures rates in turns, so that other load on the machine affects all alike; the best counts.
 */
export async function rates(
  calls: Readonly<Record<string, () => Promise<unknown>>>,
  options: { readonly ms: number; readonly inFlight: number; readonly rounds: number },
): Promise<Record<string, number>> {
  const best: Record<string, number[]> = {};
  for (let round = 0; round <= options.rounds; round++) {
    for (const [name, call] of Object.entries(calls)) {
      const measured = await rate(call, options);
      // The first round warms up.
      if (round > 0) (best[name] ??= []).push(measured);
    }
  }
  return Object.fromEntries(Object.entries(best).map(([name, all]) => [name, quantile(all)]));
}

/** The processor time that a process has used, in milliseconds, in steps of 10 ms. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name of the program, in parentheses, may hold spaces.
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

/** Resident memory of a process, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}
