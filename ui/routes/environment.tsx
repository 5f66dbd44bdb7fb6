import {
  ConditionStatus,
  type Environment,
  EnvironmentService,
  EnvironmentState,
  OperationService,
  type Workload,
  WorkloadService,
} from "@mpc/proto";
import { Conditions } from "../components/conditions.tsx";
import { Explanation } from "../components/explanation.tsx";
import { PageHead } from "../components/layout.tsx";
import { LISTED_FIELDS, OperationList } from "../components/operation_list.tsx";
import { UsageBar } from "../components/plots.tsx";
import { Outcome, Section } from "../components/section.tsx";
import { Badge, ENVIRONMENT_LOOKS, State, WORKLOAD_LOOKS } from "../components/state.tsx";
import { type Column, Labels, Table } from "../components/table.tsx";
import { Command, Empty, Middle, Text } from "../components/text.tsx";
import { When } from "../components/time.tsx";
import { bytes, cores, quantity } from "../format/quantity.ts";
import { idOf, pathOf, quoted, shortName } from "../names.ts";
import type { Mood, Page } from "../page.ts";
import { load } from "../section.ts";
import { copiesOf, runs } from "../workloads.ts";

/** The most workloads that are listed and summed up. */
const WORKLOADS = 1_000;
const SHOWN_WORKLOADS = 100;
const OPERATIONS = 10;

/** One environment: what is wrong first, then what is in it and what was done to it. */
export const environment: Page = async ({ api, param, signal }) => {
  const name = `environments/${param("environment")}`;
  const operationService = api.client(OperationService);
  const [shown, workloads, operations] = await Promise.all([
    api.client(EnvironmentService).getEnvironment({ name }, { signal }),
    load(
      api.client(WorkloadService).listWorkloads({ parent: name, pageSize: WORKLOADS }, { signal }),
    ),
    load(operationService.listOperations({
      pageSize: OPERATIONS,
      filter: `target = ${quoted(name)} OR target = ${quoted(`${name}/*`)}`,
      readMask: { paths: LISTED_FIELDS },
    }, { signal })),
  ]);
  const isFailed = FAILED.has(shown.state);
  const explained = isFailed && shown.lastOperation !== ""
    ? await load(
      operationService.explainOperation({ name: shown.lastOperation }, { signal }),
    )
    : undefined;
  const drift = shown.conditions.find(({ type, status }) =>
    type === "Drifted" && status === ConditionStatus.TRUE
  );
  const look = ENVIRONMENT_LOOKS[shown.state];
  const mood: Mood = isFailed ? "failed" : shown.reconciling ? "busy" : "ok";
  return {
    title: shortName(name),
    nav: "environments",
    watch: [name],
    mood,
    body: (
      <>
        <PageHead
          title={<Text of={shortName(name)} max={100} />}
          trail={[["Environments", "/environments"]]}
          aside={<Badge of={look} />}
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
        {drift && (
          <div class="notice warn" role="note">
            <div>
              <p class="strong">The cluster differs from what was asked for</p>
              <p>
                <Text of={drift.message} max={2_000} />
              </p>
            </div>
          </div>
        )}
        <Section
          id="workloads"
          title="Workloads"
          aside={workloads.ok && workloads.value.workloads.length > SHOWN_WORKLOADS
            ? (
              <span class="muted">
                {SHOWN_WORKLOADS} of {workloads.value.workloads.length}
                {workloads.value.nextPageToken ? "+" : ""}
              </span>
            )
            : null}
        >
          <Outcome of={workloads}>
            {({ workloads }) =>
              workloads.length === 0
                ? (
                  <Empty
                    command={`mpctl workload deploy web --env ${
                      idOf(name)
                    } --image IMAGE --port 8080`}
                  >
                    Nothing is deployed here.
                  </Empty>
                )
                : (
                  <Table
                    of={workloads.slice(0, SHOWN_WORKLOADS)}
                    columns={COLUMNS}
                    rowKey={({ name }) => name}
                    caption="Workloads"
                  />
                )}
          </Outcome>
        </Section>
        <div class="columns">
          <Section id="quota" title="Quota">
            <Outcome of={workloads}>
              {({ workloads }) => <Quota of={shown} workloads={workloads} />}
            </Outcome>
          </Section>
          <Section id="conditions" title="Conditions">
            <Conditions of={shown.conditions} />
          </Section>
        </div>
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
        <Section id="commands" title="From the terminal">
          <p>
            <Command of={`mpctl env get ${idOf(name)}`} />
          </p>
        </Section>
      </>
    ),
  };
};

const FAILED: ReadonlySet<EnvironmentState> = new Set([
  EnvironmentState.CREATE_FAILED,
  EnvironmentState.UPDATE_FAILED,
  EnvironmentState.DELETE_FAILED,
]);

function Facts({ of }: { readonly of: Environment }) {
  const { createTime, expireTime, deletionProtection, cluster, labels } = of;
  return (
    <dl class="facts">
      <div>
        <dt>Created</dt>
        <dd>
          <When at={createTime} />
        </dd>
      </div>
      <div>
        <dt>Expires</dt>
        <dd>
          <When at={expireTime} none="never" />
          {deletionProtection ? " (protected)" : ""}
        </dd>
      </div>
      <div>
        <dt>Cluster</dt>
        <dd>
          <Text of={cluster || "default"} max={100} />
        </dd>
      </div>
      {Object.keys(labels).length === 0 ? null : (
        <div>
          <dt>Labels</dt>
          <dd>
            <Labels of={labels} />
          </dd>
        </div>
      )}
    </dl>
  );
}

const COLUMNS: readonly Column<Workload>[] = [
  {
    title: "Name",
    kind: "grow",
    show: ({ name }) => (
      <a href={pathOf(name)}>
        <Middle of={idOf(name)} />
      </a>
    ),
  },
  { title: "State", show: ({ state }) => <State of={WORKLOAD_LOOKS[state]} /> },
  {
    title: "Ready",
    kind: "num",
    show: ({ readyReplicas, spec }) => `${readyReplicas} / ${copiesOf(spec)}`,
  },
  {
    title: "Runs",
    kind: "wide",
    show: ({ spec }) => (
      <code class="runs">
        <Middle of={runs(spec)} />
      </code>
    ),
  },
  { title: "Revision", kind: "num", show: ({ activeRevision }) => activeRevision || "—" },
  { title: "Changed", kind: "num", show: ({ updateTime }) => <When at={updateTime} /> },
];

/** What the workloads ask for, of what they may. */
function Quota({ of, workloads }: {
  readonly of: Environment;
  readonly workloads: readonly Workload[];
}) {
  const { quota } = of;
  const asked = (resource: "cpu" | "memory") =>
    workloads.reduce((sum, { spec }) => {
      const copies = spec?.autoscaling?.maxReplicas ?? spec?.replicas ?? 1;
      return sum + copies * quantity(spec?.resources?.[resource] ?? "");
    }, 0);
  const [cpu, memory] = [asked("cpu"), asked("memory")];
  const limits = {
    workloads: quota?.workloads || undefined,
    cpu: quota?.cpu ? quantity(quota.cpu) : undefined,
    memory: quota?.memory ? quantity(quota.memory) : undefined,
  };
  return (
    <div class="card usages">
      <UsageBar
        title="Workloads"
        used={String(workloads.length)}
        limit={limits.workloads === undefined ? undefined : String(limits.workloads)}
        share={workloads.length / (limits.workloads ?? Infinity)}
      />
      <UsageBar
        title="CPU"
        used={cores(cpu)}
        limit={limits.cpu === undefined ? undefined : cores(limits.cpu)}
        share={cpu / (limits.cpu ?? Infinity)}
      />
      <UsageBar
        title="Memory"
        used={bytes(memory)}
        limit={limits.memory === undefined ? undefined : bytes(limits.memory)}
        share={memory / (limits.memory ?? Infinity)}
      />
    </div>
  );
}
