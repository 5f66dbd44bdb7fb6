import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ComponentChildren } from "preact";
import {
  type Environment,
  EnvironmentService,
  EnvironmentState,
  type Operation,
  OperationService,
  OperationState,
  type Workload,
  WorkloadService,
  WorkloadState,
} from "@mpc/proto";
import { PageHead } from "../components/layout.tsx";
import { LISTED_FIELDS, OperationList } from "../components/operation_list.tsx";
import { type Bar, Bars } from "../components/plots.tsx";
import { Outcome, Section } from "../components/section.tsx";
import {
  ENVIRONMENT_LOOKS,
  type Look,
  State,
  type Tone,
  WORKLOAD_LOOKS,
} from "../components/state.tsx";
import { Table } from "../components/table.tsx";
import { Empty, Middle } from "../components/text.tsx";
import { When } from "../components/time.tsx";
import { spanOf } from "../format/time.ts";
import { pathOf, shortName } from "../names.ts";
import type { Mood, Page } from "../page.ts";
import { load, type Loaded } from "../section.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The most resources that are counted; beyond it, the page says so. */
const COUNTED = 1_000;

/** Rows of each list. */
const ROWS = 8;

/** What exists, what is happening now, what went wrong, what ends soon, what changed last. */
export const overview: Page = async ({ api, signal, now }) => {
  const environmentService = api.client(EnvironmentService);
  const workloadService = api.client(WorkloadService);
  const operationService = api.client(OperationService);
  const dayAgo = new Date(now - DAY_MS).toISOString();
  const inADay = new Date(now + DAY_MS).toISOString();
  const operationMask = { readMask: { paths: LISTED_FIELDS } };
  const environmentMask = {
    readMask: { paths: ["name", "state", "create_time", "update_time", "expire_time"] },
  };
  const [environments, workloads, active, stalled, lastDay, expiring, changed] = await Promise.all([
    load(environmentService.listEnvironments({
      pageSize: COUNTED,
      readMask: { paths: ["name", "state"] },
    }, { signal })),
    load(workloadService.listWorkloads({
      parent: "environments/-",
      pageSize: COUNTED,
      readMask: { paths: ["name", "state"] },
    }, { signal })),
    load(operationService.listOperations({
      pageSize: 50,
      filter: "done = false",
      ...operationMask,
    }, { signal })),
    load(operationService.listOperations({
      pageSize: ROWS,
      filter: "stalled = true",
      ...operationMask,
    }, { signal })),
    load(operationService.listOperations({
      pageSize: COUNTED,
      filter: `create_time > "${dayAgo}"`,
      ...operationMask,
    }, { signal })),
    load(environmentService.listEnvironments({
      pageSize: ROWS,
      filter: `expire_time < "${inADay}"`,
      orderBy: "expire_time",
      ...environmentMask,
    }, { signal })),
    load(environmentService.listEnvironments({
      pageSize: ROWS,
      orderBy: "update_time desc",
      ...environmentMask,
    }, { signal })),
  ]);
  const failed = lastDay.ok ? lastDay.value.operations.filter(isFailed) : [];
  const isBroken = failedOf(environments, workloads) > 0 ||
    (stalled.ok && stalled.value.operations.length > 0);
  const isBusy = active.ok && active.value.operations.length > 0;
  const mood: Mood = isBroken ? "failed" : isBusy ? "busy" : "ok";
  return {
    title: "Overview",
    nav: "overview",
    watch: ["*"],
    mood,
    body: (
      <>
        <PageHead title="Overview" />
        <div class="stats">
          <Stat
            title="Environments"
            path="/environments"
            of={environments}
            count={({ environments, nextPageToken }) => ({
              looks: environments.map(({ state }) => ENVIRONMENT_LOOKS[state]),
              more: nextPageToken !== "",
            })}
          />
          <Stat
            title="Workloads"
            path="/environments"
            of={workloads}
            count={({ workloads, nextPageToken }) => ({
              looks: workloads.map(({ state }) => WORKLOAD_LOOKS[state]),
              more: nextPageToken !== "",
            })}
          />
          <Figure
            title="In progress"
            path="/operations?filter=active"
            of={active}
            value={({ operations, nextPageToken }) =>
              `${operations.length}${nextPageToken ? "+" : ""}`}
            note={stalled.ok && stalled.value.operations.length > 0
              ? { tone: "warn", text: `${stalled.value.operations.length} stalled` }
              : { tone: "idle", text: "none stalled" }}
          />
          <Figure
            title="Failed in the last day"
            path="/operations?filter=failed"
            of={lastDay}
            value={({ operations }) => String(operations.filter(isFailed).length)}
            note={lastDay.ok
              ? { tone: "idle", text: `of ${lastDay.value.operations.length} operations` }
              : undefined}
          />
        </div>
        {stalled.ok && stalled.value.operations.length === 0 ? null : (
          <Section
            id="stalled"
            title="Stalled"
            aside={<a class="more" href="/operations?filter=stalled">All stalled operations</a>}
          >
            <Outcome of={stalled}>
              {({ operations }) => (
                <OperationList of={operations} id="stalled" caption="Stalled operations" />
              )}
            </Outcome>
          </Section>
        )}
        <Section
          id="active"
          title="In progress"
          aside={<a class="more" href="/operations">All operations</a>}
        >
          <Outcome of={active}>
            {({ operations }) =>
              operations.length === 0 ? <p class="quiet">Nothing is running.</p> : (
                <OperationList
                  of={operations.slice(0, ROWS)}
                  id="active"
                  caption="Operations in progress"
                />
              )}
          </Outcome>
        </Section>
        <Section
          id="day"
          title="The last day"
          aside={lastDay.ok ? <DaySummary of={lastDay.value.operations} /> : null}
        >
          <Outcome of={lastDay}>
            {({ operations }) => (
              <div class="card">
                <Day of={operations} now={now} />
              </div>
            )}
          </Outcome>
          {failed.length === 0 ? null : (
            <OperationList
              of={failed.slice(0, ROWS)}
              id="failed"
              caption="Operations that failed in the last day"
            />
          )}
        </Section>
        <div class="columns">
          <Section id="changed" title="Changed last">
            <Outcome of={changed}>
              {({ environments }) =>
                environments.length === 0
                  ? (
                    <Empty command="mpctl env create dev --ttl 8h">
                      There are no environments yet.
                    </Empty>
                  )
                  : (
                    <Environments
                      of={environments}
                      id="changed"
                      title="Changed"
                      when={({ updateTime }) => <When at={updateTime} />}
                    />
                  )}
            </Outcome>
          </Section>
          <Section id="expiring" title="Expiring within a day">
            <Outcome of={expiring}>
              {({ environments }) =>
                environments.length === 0
                  ? <p class="quiet">Nothing expires soon.</p>
                  : (
                    <Environments
                      of={environments}
                      id="expiring"
                      title="Expires"
                      when={({ expireTime }) => <When at={expireTime} />}
                    />
                  )}
            </Outcome>
          </Section>
        </div>
      </>
    ),
  };
};

const isFailed = ({ state }: Operation): boolean =>
  state === OperationState.FAILED || state === OperationState.NEEDS_ATTENTION;

const FAILED_ENVIRONMENT: ReadonlySet<EnvironmentState> = new Set([
  EnvironmentState.CREATE_FAILED,
  EnvironmentState.UPDATE_FAILED,
  EnvironmentState.DELETE_FAILED,
]);

const FAILED_WORKLOAD: ReadonlySet<WorkloadState> = new Set([
  WorkloadState.DEPLOY_FAILED,
  WorkloadState.DEGRADED,
  WorkloadState.DELETE_FAILED,
]);

function failedOf(
  environments: Loaded<{ readonly environments: readonly Environment[] }>,
  workloads: Loaded<{ readonly workloads: readonly Workload[] }>,
): number {
  const some = environments.ok ? environments.value.environments : [];
  const others = workloads.ok ? workloads.value.workloads : [];
  return some.filter(({ state }) => FAILED_ENVIRONMENT.has(state)).length +
    others.filter(({ state }) => FAILED_WORKLOAD.has(state)).length;
}

/** A number and what it consists of, by state. */
function Stat<T>({ title, path, of, count }: {
  readonly title: string;
  readonly path: string;
  readonly of: Loaded<T>;
  readonly count: (value: T) => { readonly looks: readonly Look[]; readonly more: boolean };
}) {
  if (!of.ok) return <Unknown title={title} path={path} />;
  const { looks, more } = count(of.value);
  const counts = new Map<Look, number>();
  for (const look of looks) counts.set(look, (counts.get(look) ?? 0) + 1);
  return (
    <a class="stat card" href={path}>
      <span class="stat-title">{title}</span>
      <span class="stat-value">{looks.length}{more ? "+" : ""}</span>
      <span class="stat-note">
        {counts.size === 0
          ? <span class="muted">none</span>
          : [...counts].map(([look, count]) => (
            <span key={look.word} class="nowrap">
              <State of={{ ...look, word: `${count} ${look.word.toLowerCase()}` }} />
            </span>
          ))}
      </span>
    </a>
  );
}

/** A number with a note. */
function Figure<T>({ title, path, of, value, note }: {
  readonly title: string;
  readonly path: string;
  readonly of: Loaded<T>;
  readonly value: (value: T) => string;
  readonly note: { readonly tone: Tone; readonly text: string } | undefined;
}) {
  if (!of.ok) return <Unknown title={title} path={path} />;
  return (
    <a class="stat card" href={path}>
      <span class="stat-title">{title}</span>
      <span class="stat-value">{value(of.value)}</span>
      {note && <span class={`stat-note ${note.tone}`}>{note.text}</span>}
    </a>
  );
}

const Unknown = ({ title, path }: { readonly title: string; readonly path: string }) => (
  <a class="stat card" href={path}>
    <span class="stat-title">{title}</span>
    <span class="stat-value muted">—</span>
    <span class="stat-note muted">cannot be read now</span>
  </a>
);

const OUTCOMES:
  readonly (readonly [tone: Tone, word: string, is: (operation: Operation) => boolean])[] = [
    ["ok", "succeeded", ({ state }) => state === OperationState.SUCCEEDED],
    ["bad", "failed", isFailed],
    ["idle", "cancelled", ({ state }) => state === OperationState.CANCELLED],
    ["busy", "in progress", ({ done, state }) => !done && state !== OperationState.NEEDS_ATTENTION],
  ];

/** Operations of each hour, by outcome. */
function Day({ of, now }: { readonly of: readonly Operation[]; readonly now: number }) {
  const hours: Operation[][] = Array.from({ length: 24 }, () => []);
  for (const operation of of) {
    const age = now - (operation.createTime ? timestampMs(operation.createTime) : now);
    hours[23 - Math.min(23, Math.max(0, Math.floor(age / HOUR_MS)))]!.push(operation);
  }
  const bars: readonly Bar[] = hours.map((operations, index) => {
    const portions = OUTCOMES.map(([tone, word, is]) => ({
      tone,
      word,
      value: operations.filter(is).length,
    }));
    const said = portions.filter(({ value }) => value > 0)
      .map(({ value, word }) => `${value} ${word}`).join(", ") || "nothing";
    const ago = 23 - index;
    return {
      title: `${ago === 0 ? "the last hour" : `${ago} to ${ago + 1} h ago`}: ${said}`,
      portions,
    };
  });
  return (
    <figure>
      <Bars of={bars} label={`Operations of each of the last 24 hours: ${summaryOf(of)}`} />
      <figcaption class="plot-axis muted" aria-hidden="true">
        <span>24 h ago</span>
        <span>12 h ago</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

function DaySummary({ of }: { readonly of: readonly Operation[] }) {
  return <span class="muted">{summaryOf(of)}</span>;
}

/** How many operations ended how, and how long half of them took at most. */
function summaryOf(operations: readonly Operation[]): string {
  if (operations.length === 0) return "no operations";
  const counts = OUTCOMES.map(([, word, is]) => [operations.filter(is).length, word] as const)
    .filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const spans = operations.flatMap(({ startTime, endTime }) =>
    startTime && endTime ? [timestampMs(endTime) - timestampMs(startTime)] : []
  ).sort((a, b) => a - b);
  const median = spans[Math.floor(spans.length / 2)];
  return [...counts, ...(median === undefined ? [] : [`median ${spanOf(median)}`])].join(" · ");
}

function Environments({ of, id, title, when }: {
  readonly of: readonly Environment[];
  readonly id: string;
  readonly title: string;
  readonly when: (environment: Environment) => ComponentChildren;
}) {
  return (
    <Table
      of={of}
      caption={title}
      rowKey={({ name }) => `${id}-${name}`}
      columns={[
        {
          title: "Environment",
          kind: "grow",
          show: ({ name }) => (
            <a href={pathOf(name)}>
              <Middle of={shortName(name)} />
            </a>
          ),
        },
        { title: "State", show: ({ state }) => <State of={ENVIRONMENT_LOOKS[state]} /> },
        { title, kind: "num", show: when },
      ]}
    />
  );
}
