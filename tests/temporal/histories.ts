/** The folder of recorded histories. */
export const HISTORIES = new URL("../histories/", import.meta.url);

/** A recorded history, in the JSON of Temporal's API. */
export interface RecordedHistory {
  /** For instance `environment.create.failed`. */
  readonly name: string;
  readonly history: { readonly events: readonly { readonly eventType: string }[] };
}

/** All histories that `deno task histories:record` has written. */
export async function readHistories(): Promise<readonly RecordedHistory[]> {
  const files = (await Array.fromAsync(Deno.readDir(HISTORIES))).filter(({ name }) =>
    name.endsWith(".json")
  );
  return await Promise.all(
    files.map(({ name }) => name).toSorted().map(async (name) => ({
      name: name.replace(/\.json$/, ""),
      history: JSON.parse(await Deno.readTextFile(new URL(name, HISTORIES))),
    })),
  );
}
