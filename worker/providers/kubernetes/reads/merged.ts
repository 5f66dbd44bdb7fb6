import type { LogLine } from "@mpc/services";

/** Several sources of lines as one, in the order of time; for sources that end. */
export async function* merged(
  sources: readonly AsyncGenerator<LogLine>[],
): AsyncGenerator<LogLine> {
  const heads = new Map<AsyncGenerator<LogLine>, Promise<Head>>();
  const pull = (source: AsyncGenerator<LogLine>) =>
    heads.set(source, source.next().then((result) => ({ source, result })));
  for (const source of sources) pull(source);
  try {
    while (heads.size > 0) {
      const next = earliest(await Promise.all(heads.values()));
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
