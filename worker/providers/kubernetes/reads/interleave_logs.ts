import type { LogLine } from "@mpc/services";

type Source = AsyncGenerator<LogLine>;

/** What joins at a moment. */
export interface Joining {
  readonly sources: readonly Source[];
  /** Aborted when more may join; undefined where nothing will. */
  readonly again: AbortSignal | undefined;
}

/**
 * Several sources of lines as one, as the lines come; sources may join. Of each source one line is
 * read ahead, so that all wait for who reads slowly.
 * @param join asked at first, and whenever its `again` is aborted
 */
export async function* joined(join: () => Joining): AsyncGenerator<LogLine> {
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
    const { sources, again } = join();
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
