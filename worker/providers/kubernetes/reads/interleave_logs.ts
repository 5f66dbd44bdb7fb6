import type { LogLine } from "@mpc/services";

type Source = AsyncGenerator<LogLine>;

/** Sources to add, and when to ask for more. */
export interface MoreSources {
  readonly sources: readonly Source[];
  /** Aborted when there may be more sources; undefined if there will be none. */
  readonly again: AbortSignal | undefined;
}

/**
 * Interleaves the lines of several sources in the order of their arrival. Sources can be added
 * later. One line of each source is read ahead, so a slow consumer slows down every source.
 * @param nextSources called first, and whenever its `again` is aborted
 */
export async function* interleaveLogs(nextSources: () => MoreSources): AsyncGenerator<LogLine> {
  const open = new Set<Source>();
  const arrived: Arrival[] = [];
  let wake = Promise.withResolvers<void>();
  const pull = (source: Source) => {
    const arrive = (arrival: Arrival) => {
      arrived.push(arrival);
      wake.resolve();
    };
    source.next().then((result) => arrive({ source, result }), (error) => arrive({ error }));
  };
  const add = (): AbortSignal | undefined => {
    const { sources, again } = nextSources();
    for (const source of sources) {
      open.add(source);
      pull(source);
    }
    again?.addEventListener("abort", () => wake.resolve(), { once: true });
    return again;
  };
  try {
    let again = add();
    while (open.size > 0 || again) {
      for (const arrival of arrived.splice(0)) {
        if ("error" in arrival) throw arrival.error;
        const { source, result } = arrival;
        if (result.done) {
          open.delete(source);
          continue;
        }
        yield result.value;
        pull(source);
      }
      if (again?.aborted) again = add();
      else if (arrived.length === 0 && (open.size > 0 || again)) {
        await wake.promise;
        wake = Promise.withResolvers();
      }
    }
  } finally {
    for (const source of open) void source.return(undefined).catch(() => {});
  }
}

type Arrival =
  | { readonly source: Source; readonly result: IteratorResult<LogLine> }
  | { readonly error: unknown };
