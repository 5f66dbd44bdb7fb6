/** A wall clock that a test sets for one process: Debian's `faketime`, preloaded. */
export interface SteppedClock {
  /** Environment variables for the process. */
  readonly env: Record<string, string>;
  /** Sets the clock ahead of the machine's by this many seconds; negative to set it behind. */
  set(offsetSeconds: number): Promise<void>;
}

const ARCHITECTURES = { x86_64: "x86_64-linux-gnu", aarch64: "aarch64-linux-gnu" };

/** @param folder from which the process reads the time */
export async function steppedClock(folder: string): Promise<SteppedClock> {
  const library = `/usr/lib/${ARCHITECTURES[Deno.build.arch]}/faketime/libfaketimeMT.so.1`;
  await Deno.stat(library).catch((cause) => {
    throw new Error("Cannot set clocks: install the package 'faketime'", { cause });
  });
  const file = `${folder}/faketime`;
  const set = async (seconds: number) => {
    await Deno.writeTextFile(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}s\n`);
    await Deno.rename(`${file}.new`, file);
  };
  await set(0);
  return {
    set,
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      // Without its cache of ten seconds, a step is noticed at once.
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  };
}
