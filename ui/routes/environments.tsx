import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Environment,
  EnvironmentService,
  type ListWorkloadsResponse,
  WorkloadService,
} from "@mpc/proto";
import { PageHead } from "../components/layout.tsx";
import { ENVIRONMENT_LOOKS, State, WORKLOAD_LOOKS } from "../components/state.tsx";
import { Choices, type Column, Labels, Pager, Table } from "../components/table.tsx";
import { Empty, Middle } from "../components/text.tsx";
import { When } from "../components/time.tsx";
import { pathOf, quoted, shortName } from "../names.ts";
import type { Page } from "../page.ts";
import { load, type Loaded } from "../section.ts";

const PAGE_SIZE = 50;

/** How many workloads of one environment are counted. */
const COUNTED = 100;

/** What can be chosen, and the filter that it stands for. */
const FILTERS: Readonly<Record<string, readonly [title: string, filter: string]>> = {
  "": ["All", ""],
  ready: ["Ready", "state = READY"],
  busy: ["Changing", "(state = CREATING OR state = UPDATING OR state = DELETING)"],
  failed: [
    "Failed",
    "(state = CREATE_FAILED OR state = UPDATE_FAILED OR state = DELETE_FAILED)",
  ],
  expiring: ["Expiring", "expire_time:*"],
};

const ORDERS: Readonly<Record<string, readonly [title: string, order: string]>> = {
  "": ["Name", ""],
  newest: ["Newest", "create_time desc"],
  changed: ["Changed last", "update_time desc"],
  expiry: ["Expiring first", "expire_time"],
};

/** Environments, searched, filtered and sorted by the page's address. */
export const environments: Page = async ({ api, query, signal, url }) => {
  const filter = [FILTERS[query("show")]?.[1] ?? "", ...searchFilters(query("q"))]
    .filter((term) => term !== "").join(" AND ");
  const { environments, nextPageToken } = await api.client(EnvironmentService).listEnvironments({
    pageSize: PAGE_SIZE,
    pageToken: query("page"),
    // An environment without expiry comes last only if it is left out.
    filter: query("sort") === "expiry" && !filter.includes("expire_time")
      ? [filter, "expire_time:*"].filter((term) => term !== "").join(" AND ")
      : filter,
    orderBy: ORDERS[query("sort")]?.[1] ?? "",
  }, { signal });
  const workloads = await Promise.all(environments.map(({ name }) =>
    load(
      api.client(WorkloadService).listWorkloads({
        parent: name,
        pageSize: COUNTED,
        readMask: { paths: ["name", "state"] },
      }, { signal }).catch(unlessGone),
    )
  ));
  const counted = new Map(environments.map(({ name }, index) => [name, workloads[index]!]));
  const isNarrowed = filter !== "";
  return {
    title: "Environments",
    nav: "environments",
    watch: ["environments"],
    body: (
      <>
        <PageHead title="Environments" />
        <div class="toolbar">
          <form class="toolbar search" role="search">
            <input
              class="field"
              type="search"
              name="q"
              value={query("q")}
              placeholder="Name, or label such as team=web"
              aria-label="Search by name or label"
            />
            {["show", "sort"].map((name) =>
              query(name) === ""
                ? null
                : <input key={name} type="hidden" name={name} value={query(name)} />
            )}
            <button type="submit" class="button">Search</button>
          </form>
          <Choices url={url} name="show" label="Filter by state" choices={titlesOf(FILTERS)} />
          <div class="sort">
            <span class="muted small" aria-hidden="true">Sort</span>
            <Choices url={url} name="sort" label="Sort" choices={titlesOf(ORDERS)} />
          </div>
        </div>
        {environments.length > 0
          ? (
            <Table
              of={environments}
              columns={columnsOf(counted)}
              rowKey={({ name }) => name}
              caption="Environments"
            />
          )
          : isNarrowed
          ? (
            <Empty>
              No environment matches. <a class="more" href={url.pathname}>Show all</a>
            </Empty>
          )
          : (
            <Empty command="mpctl env create dev --ttl 8h --label team=web">
              There are no environments yet.
            </Empty>
          )}
        <Pager url={url} nextPageToken={nextPageToken} />
      </>
    ),
  };
};

const titlesOf = (of: Readonly<Record<string, readonly [title: string, ...unknown[]]>>) =>
  Object.entries(of).map(([value, [title]]) => [value, title] as const);

/** The filters of a search: words are parts of names, `KEY=VALUE` and `KEY=` are labels. */
function searchFilters(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "").map((word) => {
    const [key, value] = splitLabel(word);
    if (value === undefined) return `name:${quoted(word)}`;
    return value === "" ? `labels:${quoted(key)}` : `labels.${quoted(key)} = ${quoted(value)}`;
  });
}

function splitLabel(word: string): readonly [key: string, value: string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** An environment may have been deleted since it was listed. */
function unlessGone(error: unknown): Pick<ListWorkloadsResponse, "workloads" | "nextPageToken"> {
  if (error instanceof ConnectError && error.code === Code.NotFound) {
    return { workloads: [], nextPageToken: "" };
  }
  throw error;
}

type Counted = Loaded<Pick<ListWorkloadsResponse, "workloads" | "nextPageToken">>;

const columnsOf = (counted: ReadonlyMap<string, Counted>): readonly Column<Environment>[] => [
  {
    title: "Name",
    kind: "grow",
    show: ({ name }) => (
      <a href={pathOf(name)}>
        <Middle of={shortName(name)} />
      </a>
    ),
  },
  { title: "State", show: ({ state }) => <State of={ENVIRONMENT_LOOKS[state]} /> },
  { title: "Workloads", show: ({ name }) => <WorkloadCount of={counted.get(name)} /> },
  { title: "Labels", kind: "wide", show: ({ labels }) => <Labels of={labels} /> },
  {
    title: "Expires",
    kind: "num",
    show: ({ expireTime, deletionProtection }) =>
      deletionProtection
        ? <span class="muted">protected</span>
        : <When at={expireTime} none="never" />,
  },
  {
    title: "Created",
    kind: "wide",
    show: ({ createTime }) => <When at={createTime} />,
  },
];

/** How many workloads there are, and how many of them are not ready. */
function WorkloadCount({ of }: { readonly of: Counted | undefined }) {
  if (!of?.ok) return <span class="muted">—</span>;
  const { workloads, nextPageToken } = of.value;
  const count = `${workloads.length}${nextPageToken ? "+" : ""}`;
  const worst =
    ["bad", "warn", "busy"].flatMap((tone) =>
      workloads.map(({ state }) => WORKLOAD_LOOKS[state]).filter((look) => look.tone === tone)
    )[0];
  if (!worst) return <span class={workloads.length === 0 ? "muted" : ""}>{count}</span>;
  return <State of={{ ...worst, word: `${count}, ${worst.word.toLowerCase()}` }} />;
}
