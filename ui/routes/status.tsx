import { durationMs } from "@bufbuild/protobuf/wkt";
import { DiagnosticsService, type Finding, type MethodActivity } from "@mpc/proto";
import { Icon } from "../components/icons.tsx";
import { PageHead } from "../components/layout.tsx";
import { Outcome, Section } from "../components/section.tsx";
import { type Column, Table } from "../components/table.tsx";
import { Command, Middle, Text } from "../components/text.tsx";
import { Took } from "../components/time.tsx";
import { spanOf } from "../format/time.ts";
import { shortName } from "../names.ts";
import type { Page } from "../page.ts";
import { load } from "../section.ts";

/** Methods that are listed, the most called first. */
const METHODS = 15;

/** What the platform runs on, what doctor finds, and what the API answers. */
export const status: Page = async ({ api, signal }) => {
  const client = api.client(DiagnosticsService);
  const [info, diagnosis, activity] = await Promise.all([
    client.getServerInfo({}, { signal }),
    load(client.diagnose({}, { signal })),
    load(client.getActivity({}, { signal })),
  ]);
  const isBroken = !diagnosis.ok || diagnosis.value.findings.length > 0;
  return {
    title: "Status",
    nav: "status",
    refreshMs: 30_000,
    mood: isBroken ? "failed" : "ok",
    body: (
      <>
        <PageHead title="Status">
          <dl class="facts">
            {([
              ["Version", info.version],
              ["Engine", info.engine],
              ["Storage", info.storage],
              ["Clusters", info.provider],
              ["Installation", info.installation],
            ] as const).map(([title, value]) => (
              <div key={title}>
                <dt>{title}</dt>
                <dd>
                  <Middle of={value} />
                </dd>
              </div>
            ))}
            {activity.ok && (
              <div>
                <dt>API up for</dt>
                <dd>
                  <Took from={activity.value.startTime} to={activity.value.readTime} />
                </dd>
              </div>
            )}
          </dl>
        </PageHead>
        <Section id="doctor" title="Doctor">
          <Outcome of={diagnosis}>
            {({ findings, checks, foreignObjects }) => (
              <>
                {findings.length > 0
                  ? (
                    <Table
                      of={findings}
                      columns={FINDING_COLUMNS}
                      rowKey={({ invariant, subject }) => `finding-${invariant}-${subject}`}
                      caption="Findings"
                    />
                  )
                  : (
                    <ul class="checks">
                      {checks.map((check) => (
                        <li key={check} class="state ok">
                          <Icon name="ok" />
                          <Text of={check} max={300} />
                        </li>
                      ))}
                    </ul>
                  )}
                {foreignObjects.map(({ cluster, installation, objects }) => (
                  <p key={`${cluster} ${installation}`} class="quiet">
                    {objects} objects on cluster <Text of={cluster} max={80} /> belong to{" "}
                    {installation === "" ? "an unknown installation" : "installation "}
                    <Text of={installation} max={80} /> and are left alone.
                  </p>
                ))}
              </>
            )}
          </Outcome>
        </Section>
        <Section id="calls" title="Calls of this API since it began">
          <Outcome of={activity}>
            {({ methods }) => (
              <Table
                of={methods.toSorted((a, b) => Number(b.calls - a.calls)).slice(0, METHODS)}
                columns={METHOD_COLUMNS}
                rowKey={({ method }) => `method-${method}`}
                caption="Calls by method, the most called first"
              />
            )}
          </Outcome>
        </Section>
      </>
    ),
  };
};

const FINDING_COLUMNS: readonly Column<Finding>[] = [
  {
    title: "Finding",
    show: ({ invariant }) => (
      <code class="reason nowrap">
        <Text of={invariant} max={80} />
      </code>
    ),
  },
  { title: "Where", show: ({ subject }) => <Middle of={shortName(subject) || subject} /> },
  { title: "What", kind: "grow", show: ({ message }) => <Text of={message} max={1_000} /> },
  {
    title: "How to repair it",
    show: ({ remedy }) => remedy === "" ? null : <Command of={remedy} />,
  },
];

const METHOD_COLUMNS: readonly Column<MethodActivity>[] = [
  {
    title: "Method",
    kind: "grow",
    show: ({ method }) => <Middle of={method.replace(/^.*\./, "")} />,
  },
  { title: "Calls", kind: "num", show: ({ calls }) => String(calls) },
  { title: "Failed", kind: "num", show: ({ failures }) => String(failures) },
  { title: "Running", kind: "num", show: ({ running }) => String(running) },
  {
    title: "Mean",
    kind: "num",
    show: ({ calls, totalDuration }) =>
      totalDuration && calls > 0n
        ? spanOf(durationMs(totalDuration) / Number(calls))
        : <span class="muted">—</span>,
  },
];
