import { OperationService } from "@mpc/proto";
import { PageHead } from "../components/layout.tsx";
import { LISTED_FIELDS, OperationList } from "../components/operation_list.tsx";
import { Outcome, Section } from "../components/section.tsx";
import { Choices, Pager } from "../components/table.tsx";
import { Empty } from "../components/text.tsx";
import { quoted } from "../names.ts";
import type { Page } from "../page.ts";
import { load } from "../section.ts";

const PAGE_SIZE = 50;

/** Stalled operations that are listed above the others. */
const STALLED_ROWS = 10;

/** What can be chosen, and the filter that it stands for. */
const FILTERS: Readonly<Record<string, readonly [title: string, filter: string]>> = {
  "": ["All", ""],
  active: ["In progress", "done = false"],
  stalled: ["Stalled", "stalled = true"],
  failed: ["Failed", "(state = FAILED OR state = NEEDS_ATTENTION)"],
  succeeded: ["Succeeded", "state = SUCCEEDED"],
  cancelled: ["Cancelled", "state = CANCELLED"],
};

const CHOICES = Object.entries(FILTERS).map(([value, [title]]) => [value, title] as const);

/** Operations, newest first, stalled ones before all others; narrowed by the page's address. */
export const operations: Page = async ({ api, query, signal, url }) => {
  const filter = [
    FILTERS[query("filter")]?.[1] ?? "",
    ...wordsOf(query("q")).map((word) => `target:${quoted(word)}`),
    ...wordsOf(query("by")).map((word) => `actor:${quoted(word)}`),
    ...targetFilter(query("target")),
  ].filter((term) => term !== "").join(" AND ");
  const isFirst = filter === "" && query("page") === "";
  const client = api.client(OperationService);
  const readMask = { paths: LISTED_FIELDS };
  const [listed, stalled] = await Promise.all([
    client.listOperations(
      { pageSize: PAGE_SIZE, pageToken: query("page"), filter, readMask },
      { signal },
    ),
    isFirst
      ? load(client.listOperations(
        { pageSize: STALLED_ROWS, filter: "stalled = true", readMask },
        { signal },
      ))
      : undefined,
  ]);
  const kept = ["filter", "target"].filter((name) => query(name) !== "");
  return {
    title: "Operations",
    nav: "operations",
    watch: ["operations"],
    mood: stalled?.ok && stalled.value.operations.length > 0 ? "failed" : "ok",
    body: (
      <>
        <PageHead title="Operations" />
        <div class="toolbar">
          <form class="toolbar search" role="search">
            <input
              class="field"
              type="search"
              name="q"
              value={query("q")}
              placeholder="Environment or workload"
              aria-label="Search by environment or workload"
            />
            <input
              class="field"
              type="search"
              name="by"
              value={query("by")}
              placeholder="Requested by"
              aria-label="Search by who requested it"
            />
            {kept.map((name) => <input key={name} type="hidden" name={name} value={query(name)} />)}
            <button type="submit" class="button">Search</button>
          </form>
          <Choices url={url} name="filter" label="Filter by state" choices={CHOICES} />
        </div>
        {stalled && !(stalled.ok && stalled.value.operations.length === 0) && (
          <Section id="stalled" title="Stalled">
            <Outcome of={stalled}>
              {({ operations }) => (
                <OperationList of={operations} id="stalled" caption="Stalled operations" />
              )}
            </Outcome>
          </Section>
        )}
        {listed.operations.length > 0
          ? <OperationList of={listed.operations} id="all" caption="Operations" />
          : filter === ""
          ? (
            <Empty command="mpctl env create dev --ttl 8h">
              Nothing has been changed yet.
            </Empty>
          )
          : (
            <Empty>
              No operation matches. <a class="more" href={url.pathname}>Show all</a>
            </Empty>
          )}
        <Pager url={url} nextPageToken={listed.nextPageToken} />
      </>
    ),
  };
};

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter((it) => it !== "");

/** Of a resource, and of everything below it. */
const targetFilter = (target: string): readonly string[] =>
  target === "" ? [] : [`(target = ${quoted(target)} OR target = ${quoted(`${target}/*`)})`];
