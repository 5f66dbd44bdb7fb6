import {
  type ClusterEvent,
  type ListRevisionsResponse,
  OperationService,
  type Pod,
  type Revision,
  type StreamLogsResponse,
  type Workload,
  WorkloadService,
  WorkloadState,
} from "@mpc/proto";
import type { Client } from "@connectrpc/connect";
import { Conditions } from "../components/conditions.tsx";
import { Explanation } from "../components/explanation.tsx";
import { PageHead } from "../components/layout.tsx";
import { LogLines } from "../components/log_lines.tsx";
import { LISTED_FIELDS, OperationList } from "../components/operation_list.tsx";
import { Outcome, Section } from "../components/section.tsx";
import { Badge, type Look, State, WORKLOAD_LOOKS } from "../components/state.tsx";
import { Table } from "../components/table.tsx";
import { Empty, Middle, Text } from "../components/text.tsx";
import { When } from "../components/time.tsx";
import { idOf, pathOf, quoted, shortName } from "../names.ts";
import type { Mood, Page } from "../page.ts";
import { load } from "../section.ts";
import { specDiff } from "../spec_diff.ts";
import { copiesOf, runs } from "../workloads.ts";

const OPERATIONS = 6;
const REVISIONS = 20;
const PODS = 200;
const CLUSTER_EVENTS = 50;

/** The last lines of each copy that a page shows. */
const LOG_TAIL = 60;

/** The most lines that a page shows. */
const LOG_LINES = 400;

/** Clusters report no events about pods to the API, so pods are read again in this interval. */
const REFRESH_MS = 5_000;

/** One workload: its copies, its revisions and their differences, its logs. */
export const workload: Page = async ({ api, param, query, signal, url }) => {
  const environment = `environments/${param("environment")}`;
  const name = `${environment}/workloads/${param("workload")}`;
  const service = api.client(WorkloadService);
  const operationService = api.client(OperationService);
  const [shown, pods, revisions, clusterEvents, operations, logs] = await Promise.all([
    service.getWorkload({ name }, { signal }),
    load(service.listPods({ parent: name, pageSize: PODS }, { signal })),
    load(service.listRevisions({ parent: name, pageSize: REVISIONS }, { signal })),
    load(service.listClusterEvents({ parent: name, pageSize: CLUSTER_EVENTS }, { signal })),
    load(operationService.listOperations({
      pageSize: OPERATIONS,
      filter: `target = ${quoted(name)}`,
      readMask: { paths: LISTED_FIELDS },
    }, { signal })),
    load(linesOf(service, name, query("replica"), signal)),
  ]);
  const isFailed = FAILED.has(shown.state);
  const explained = isFailed && shown.lastOperation !== ""
    ? await load(operationService.explainOperation({ name: shown.lastOperation }, { signal }))
    : undefined;
  const isDegraded = shown.state === WorkloadState.DEGRADED;
  const mood: Mood = isFailed || isDegraded ? "failed" : shown.reconciling ? "busy" : "ok";
  return {
    title: shortName(name),
    nav: "environments",
    watch: [name],
    refreshMs: REFRESH_MS,
    mood,
    body: (
      <>
        <PageHead
          title={<Text of={idOf(name)} max={100} />}
          trail={[["Environments", "/environments"], [idOf(environment), pathOf(environment)]]}
          aside={<Badge of={WORKLOAD_LOOKS[shown.state]} />}
        >
          <Facts of={shown} />
        </PageHead>
        {shown.currentOperation === "" ? null : (
          <p class="quiet" id="current">
            Changing now: <a href={pathOf(shown.currentOperation)}>see the operation</a>
          </p>
        )}
        {explained && (
          <Outcome of={explained}>
            {(explanation) => (
              <Explanation of={explanation} operation={shown.lastOperation} tone="bad" />
            )}
          </Outcome>
        )}
        <Section id="copies" title="Copies" aside={<CopyCount of={shown} />}>
          <Outcome of={pods}>
            {({ pods }) =>
              pods.length === 0 ? <p class="quiet">The cluster runs no copy.</p> : (
                <>
                  <Replicas of={pods} />
                  <Pods of={pods} />
                </>
              )}
          </Outcome>
          {clusterEvents.ok && clusterEvents.value.events.some(({ warning }) => warning)
            ? <Warnings of={clusterEvents.value.events} />
            : null}
        </Section>
        <Section id="revisions" title="Revisions">
          <Outcome of={revisions}>
            {(page) => <Revisions of={page} url={url} from={query("from")} to={query("to")} />}
          </Outcome>
        </Section>
        <Section id="logs" title="Logs">
          {!logs.ok && logs.failure.reason === "NOT_ON_CLUSTER"
            ? <p class="quiet">The cluster has nothing of this workload, so there is no log.</p>
            : (
              <Outcome of={logs}>
                {(lines) => <LogLines of={lines} workload={name} replica={query("replica")} />}
              </Outcome>
            )}
        </Section>
        <Section id="conditions" title="Conditions">
          <Conditions of={shown.conditions} />
        </Section>
        <Section
          id="operations"
          title="Recent operations"
          aside={<a class="more" href={`/operations?target=${encodeURIComponent(name)}`}>All</a>}
        >
          <Outcome of={operations}>
            {({ operations }) =>
              operations.length === 0
                ? <p class="quiet">No operation is on record any more.</p>
                : <OperationList of={operations} id="recent" caption="Recent operations" />}
          </Outcome>
        </Section>
      </>
    ),
  };
};

const FAILED: ReadonlySet<WorkloadState> = new Set([
  WorkloadState.DEPLOY_FAILED,
  WorkloadState.DELETE_FAILED,
]);

/** The newest lines of all copies, in order. */
async function linesOf(
  service: Client<typeof WorkloadService>,
  name: string,
  replica: string,
  signal: AbortSignal,
): Promise<readonly StreamLogsResponse[]> {
  const lines: StreamLogsResponse[] = [];
  for await (const line of service.streamLogs({ name, tail: LOG_TAIL, replica }, { signal })) {
    lines.push(line);
  }
  const seconds = ({ time }: StreamLogsResponse) =>
    Number(time?.seconds ?? 0n) * 1e9 + (time?.nanos ?? 0);
  return lines.sort((a, b) => seconds(a) - seconds(b)).slice(-LOG_LINES);
}

function Facts({ of }: { readonly of: Workload }) {
  return (
    <dl class="facts">
      <div>
        <dt>Runs</dt>
        <dd>
          <code>
            <Middle of={runs(of.spec)} />
          </code>
        </dd>
      </div>
      <div>
        <dt>Revision</dt>
        <dd>{of.activeRevision || "—"}</dd>
      </div>
      <div>
        <dt>Created</dt>
        <dd>
          <When at={of.createTime} />
        </dd>
      </div>
      <div>
        <dt>Changed</dt>
        <dd>
          <When at={of.updateTime} />
        </dd>
      </div>
    </dl>
  );
}

const CopyCount = ({ of }: { readonly of: Workload }) => (
  <span class="muted">{of.readyReplicas} of {copiesOf(of.spec)} ready when last rolled out</span>
);

function lookOf({ ready, status }: Pod): Look {
  if (ready) return { word: status || "Ready", tone: "ok", icon: "ok" };
  return /^(?:Pending|ContainerCreating|Running|Init|Terminating)/.test(status)
    ? { word: status, tone: "busy", icon: "busy" }
    : { word: status || "Unknown", tone: "bad", icon: "failed" };
}

/** Each copy as a square, so that a rollout can be seen at a glance. */
function Replicas({ of }: { readonly of: readonly Pod[] }) {
  const ready = of.filter((pod) => pod.ready).length;
  return (
    <ul class="replicas" aria-label={`${ready} of ${of.length} copies are ready`}>
      {of.map((pod) => {
        const look = lookOf(pod);
        return (
          <li
            key={pod.name}
            id={`replica-${pod.name}`}
            class={`replica ${look.tone}`}
            title={`${pod.name}: ${look.word}`}
          >
            <span class="sr">
              <Text of={pod.name} max={80} />: {look.word}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Pods({ of }: { readonly of: readonly Pod[] }) {
  return (
    <Table
      of={of}
      caption="Copies"
      rowKey={({ name }) => `pod-${name}`}
      columns={[
        { title: "Copy", kind: "grow", show: ({ name }) => <Middle of={name} /> },
        { title: "Status", show: (pod) => <State of={lookOf(pod)} /> },
        {
          title: "Why",
          kind: "wide",
          show: ({ message }) => (
            <span class="wrap">
              <Text of={message} max={500} />
            </span>
          ),
        },
        { title: "Restarts", kind: "num", show: ({ restarts }) => restarts },
        { title: "Node", kind: "wide", show: ({ node }) => <Middle of={node || "—"} /> },
        { title: "Age", kind: "num", show: ({ createTime }) => <When at={createTime} /> },
      ]}
    />
  );
}

function Warnings({ of }: { readonly of: readonly ClusterEvent[] }) {
  const warnings = of.filter(({ warning }) => warning).slice(-8).reverse();
  return (
    <Table
      of={warnings}
      caption="Warnings of the cluster"
      rowKey={({ object, reason, time }) => `warning-${object}-${reason}-${time?.seconds ?? 0n}`}
      columns={[
        {
          title: "Warning",
          show: ({ reason }) => (
            <code class="reason">
              <Text of={reason} max={80} />
            </code>
          ),
        },
        {
          title: "Message",
          show: ({ message }) => (
            <span class="wrap">
              <Text of={message} max={500} />
            </span>
          ),
        },
        { title: "Times", kind: "num", show: ({ count }) => count },
        { title: "Seen", kind: "num", show: ({ time }) => <When at={time} /> },
      ]}
    />
  );
}

/** Revisions, and the difference of two of them: by default of the active one and the one before. */
function Revisions({ of, url, from, to }: {
  readonly of: ListRevisionsResponse;
  readonly url: URL;
  readonly from: string;
  readonly to: string;
}) {
  const { revisions } = of;
  if (revisions.length === 0) return <Empty>No revision has been rolled out yet.</Empty>;
  const find = (number: string) => revisions.find((revision) => String(revision.number) === number);
  const after = find(to) ?? revisions.find(({ active }) => active) ?? revisions[0]!;
  const before = find(from) ?? revisions.find(({ number }) => number < after.number);
  return (
    <>
      <Table
        of={revisions}
        caption="Revisions"
        rowKey={({ number }) => `revision-${number}`}
        columns={[
          { title: "Revision", kind: "num", show: ({ number }) => number },
          {
            title: "Active",
            show: ({ active }) =>
              active ? <State of={{ word: "Active", tone: "ok", icon: "ok" }} /> : null,
          },
          {
            title: "Runs",
            kind: "grow",
            show: ({ spec }) => (
              <code>
                <Middle of={runs(spec)} />
              </code>
            ),
          },
          { title: "Copies", kind: "num", show: ({ spec }) => copiesOf(spec) },
          {
            title: "Operation",
            kind: "wide",
            show: ({ operation }) => operation === "" ? null : <a href={pathOf(operation)}>see</a>,
          },
          { title: "Deployed", kind: "num", show: ({ createTime }) => <When at={createTime} /> },
        ]}
      />
      {revisions.length < 2 ? null : (
        <form class="toolbar" action={`${url.pathname}#revisions`}>
          <span class="muted">Compare</span>
          <RevisionChoice name="from" of={revisions} chosen={before} />
          <span class="muted">with</span>
          <RevisionChoice name="to" of={revisions} chosen={after} />
          <button type="submit" class="button">Compare</button>
        </form>
      )}
      {before ? <Diff before={before} after={after} /> : null}
    </>
  );
}

function RevisionChoice({ name, of, chosen }: {
  readonly name: string;
  readonly of: readonly Revision[];
  readonly chosen: Revision | undefined;
}) {
  return (
    <select
      class="field"
      name={name}
      aria-label={name === "from" ? "Compare revision" : "with revision"}
    >
      {of.map(({ number }) => (
        <option
          key={number}
          value={String(number)}
          {...(number === chosen?.number && { selected: true })}
        >
          {number}
        </option>
      ))}
    </select>
  );
}

function Diff({ before, after }: { readonly before: Revision; readonly after: Revision }) {
  const rows = specDiff(before.spec, after.spec);
  const changed = rows.filter((row) => row.before !== row.after).length;
  return (
    <div class="table-box" tabindex={0} role="group" aria-label="Differences">
      <table class="table diff">
        <caption class="sr">
          Differences of revisions {before.number} and {after.number}: {changed} fields
        </caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Revision {before.number}</th>
            <th scope="col">Revision {after.number}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ path, before, after }) => (
            <tr key={path} class={before === after ? "" : "changed"}>
              <th scope="row">
                <code>
                  <Text of={path} max={200} />
                </code>
              </th>
              <td class={before !== after && before !== undefined ? "removed" : ""}>
                <Value of={before} mark={before !== after ? "−" : ""} />
              </td>
              <td class={before !== after && after !== undefined ? "added" : ""}>
                <Value of={after} mark={before !== after ? "+" : ""} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ of, mark }: { readonly of: string | undefined; readonly mark: string }) {
  if (of === undefined) return <span class="muted">—</span>;
  return (
    <code class="wrap">
      {mark === "" ? null : `${mark} `}
      <Text of={of} max={1_000} />
    </code>
  );
}
