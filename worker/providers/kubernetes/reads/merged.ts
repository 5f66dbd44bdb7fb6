import type { LogLine } from "@mpc/services";

/** Lines that will not come any more can be put in order; others are told at once. */
type Order = "by time" | "as they come";

/** Several sources of lines as one. */
export async function* merged(
  sources: readonly AsyncGenerator<LogLine>[],
  order: Order,
): AsyncGenerator<LogLine> {
  const heads = new Map<AsyncGenerator<LogLine>, Promise<Head>>();
  const pull = (source: AsyncGenerator<LogLine>) =>
    heads.set(source, source.next().then((result) => ({ source, result })));
  for (const source of sources) pull(source);
  try {
    while (heads.size > 0) {
      const next = order === "as they come"
        ? await Promise.race(heads.values())
        : earliest(await Promise.all(heads.values()));
      if (next.result.done) {
        heads.delete(next.source);
        continue;
      }
      yield next.result.value;
      pull(next.source);
    }
  } finally {
    for (const source of heads.keys()) void source.return(undefined).catch(() => {});
  }
}

interface Head {
  readonly source: AsyncGenerator<LogLine>;
  readonly result: IteratorResult<LogLine>;
}

/** Sources that have ended come first, to be left out. */
function earliest(heads: readonly Head[]): Head {
  const timeOf = ({ result }: Head) => result.done ? -Infinity : result.value.time;
  return heads.reduce((first, head) => timeOf(head) < timeOf(first) ? head : first);
}
