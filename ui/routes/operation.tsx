import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type Operation,
  OperationService,
  OperationState,
  type OperationStep,
  type Residue,
  type StepAttempt,
  StepState,
} from "@mpc/proto";
import { Explanation } from "../components/explanation.tsx";
import { PageHead } from "../components/layout.tsx";
import { Outcome, Section } from "../components/section.tsx";
import { Badge, OPERATION_LOOKS, State, STEP_LOOKS, type Tone } from "../components/state.tsx";
import { type Column, Table } from "../components/table.tsx";
import { Command, Middle, Text } from "../components/text.tsx";
import { Took, When } from "../components/time.tsx";
import { Waterfall, type WaterfallRow } from "../components/waterfall.tsx";
import { idOf, pathOf, shortName } from "../names.ts";
import type { Mood, Page } from "../page.ts";
import { load } from "../section.ts";

/** Attempts of one step that are listed; the newest ones. */
const SHOWN_ATTEMPTS = 50;

/** One operation: where it is, how its time went, why, and what to do. */
export const operation: Page = async ({ api, param, signal, now }) => {
  const client = api.client(OperationService);
  const name = `operations/${param("operation")}`;
  const shown = await client.getOperation({ name }, { signal });
  const explained = await load(client.explainOperation({ name }, { signal }));
  const { state, residue, retryOf } = shown;
  const isBroken = state === OperationState.FAILED || state === OperationState.NEEDS_ATTENTION;
  const mood: Mood = isBroken ? "failed" : shown.done ? "ok" : "busy";
  return {
    title: `${shown.kind} ${shortName(shown.target)}`,
    nav: "operations",
    watch: [name],
    // The progress of a step has no events.
    ...(!shown.done && { refreshMs: 2_000 }),
    mood,
    body: (
      <>
        <PageHead
          title={<Text of={`${shown.kind} ${shortName(shown.target)}`} max={160} />}
          trail={[["Operations", "/operations"]]}
          aside={<Badge of={OPERATION_LOOKS[state]} />}
        >
          <Facts of={shown} />
        </PageHead>
        {retryOf === "" ? null : (
          <p class="quiet">
            Retries <a href={pathOf(retryOf)}>{idOf(retryOf)}</a>
          </p>
        )}
        <Outcome of={explained}>
          {(explanation) => (
            <Explanation
              of={explanation}
              tone={state === OperationState.NEEDS_ATTENTION ? "warn" : isBroken ? "bad" : "idle"}
            />
          )}
        </Outcome>
        {residue.length === 0 ? null : (
          <Section id="residue" title="What is left">
            <Table
              of={residue}
              columns={RESIDUE_COLUMNS}
              rowKey={({ object }) => `residue-${object}`}
              caption="Objects that are left"
            />
          </Section>
        )}
        <Section id="timeline" title="Timeline">
          <div class="card">
            <Waterfall {...waterfallOf(shown, now)} />
          </div>
        </Section>
        <Section id="steps" title="Steps">
          <Table
            of={shown.steps}
            columns={STEP_COLUMNS}
            rowKey={(step) => `step-${step.name}`}
            caption="Steps"
          />
        </Section>
        {shown.steps.filter(({ attempts }) => attempts.length > 1).map((step) => (
          <Attempts key={step.name} of={step} />
        ))}
      </>
    ),
  };
};

function Facts({ of }: { readonly of: Operation }) {
  const { name, target, actor, engine, createTime, startTime, endTime, deadline, cancellation } =
    of;
  return (
    <dl class="facts">
      <div>
        <dt>Target</dt>
        <dd>
          <a href={pathOf(target)}>
            <Middle of={shortName(target)} />
          </a>
        </dd>
      </div>
      <div>
        <dt>Requested by</dt>
        <dd>
          <Middle of={actor} />
        </dd>
      </div>
      <div>
        <dt>Requested</dt>
        <dd>
          <When at={createTime} />
        </dd>
      </div>
      <div>
        <dt>Took</dt>
        <dd>
          <Took from={startTime} to={endTime} />
        </dd>
      </div>
      <div>
        <dt>Deadline</dt>
        <dd>
          <When at={deadline} none="none" />
        </dd>
      </div>
      <div>
        <dt>Engine</dt>
        <dd>{engine}</dd>
      </div>
      {cancellation && (
        <div>
          <dt>Cancelled</dt>
          <dd>
            <Text of={cancellation.actor} max={80} /> <When at={cancellation.time} />
          </dd>
        </div>
      )}
      <div>
        <dt>Id</dt>
        <dd>
          <code class="mono">
            <Middle of={idOf(name)} />
          </code>
        </dd>
      </div>
    </dl>
  );
}

const STEP_COLUMNS: readonly Column<OperationStep>[] = [
  { title: "State", show: ({ state }) => <State of={STEP_LOOKS[state]} /> },
  {
    title: "Step",
    show: ({ name }) => (
      <code class="mono nowrap">
        <Text of={name} max={80} />
      </code>
    ),
  },
  {
    title: "Now",
    kind: "grow",
    show: (step) => <Text of={detailOf(step)} max={500} />,
  },
  {
    title: "Attempts",
    kind: "num",
    show: ({ attempts }) =>
      attempts.length === 0 ? <span class="muted">—</span> : String(countOf(attempts)),
  },
  {
    title: "Took",
    kind: "num",
    show: ({ startTime, endTime }) => <Took from={startTime} to={endTime} />,
  },
];

/** What a step waits for, or why it failed. */
function detailOf({ state, progress, attempts }: OperationStep): string {
  const busy = state === StepState.RUNNING || state === StepState.UNDOING;
  const message = attempts.at(-1)?.error?.message ?? "";
  if (busy) return progress === "" ? message : progress;
  const isFailed = state === StepState.FAILED || state === StepState.UNDO_FAILED;
  return isFailed ? message : "";
}

const ATTEMPT_COLUMNS: readonly Column<StepAttempt>[] = [
  { title: "Attempt", show: ({ number, undo }) => `${undo ? "Undo" : "Run"} ${number}` },
  {
    title: "Result",
    show: ({ error, endTime }) =>
      error
        ? (
          <code class="reason nowrap">
            <Text of={error.reason} max={80} />
          </code>
        )
        : <span class="muted">{endTime ? "succeeded" : "runs"}</span>,
  },
  { title: "Why", kind: "grow", show: ({ error }) => <Text of={error?.message ?? ""} max={500} /> },
  {
    title: "Took",
    kind: "num",
    show: ({ startTime, endTime }) => <Took from={startTime} to={endTime} />,
  },
  { title: "Began", kind: "num", show: ({ startTime }) => <When at={startTime} /> },
];

/** How many attempts there were: records keep the first and the last ones of many. */
function countOf(attempts: readonly StepAttempt[]): number {
  const highest = (undo: boolean) =>
    Math.max(0, ...attempts.filter((it) => it.undo === undo).map(({ number }) => number));
  return highest(false) + highest(true);
}

function Attempts({ of: { name, attempts } }: { readonly of: OperationStep }) {
  const shown = attempts.slice(-SHOWN_ATTEMPTS).toReversed();
  const count = countOf(attempts);
  const more = count - shown.length;
  return (
    <details class="section" id={`attempts-${name}`}>
      <summary>
        {count} attempts of <code class="mono">{name}</code>
      </summary>
      <Table
        of={shown}
        columns={ATTEMPT_COLUMNS}
        rowKey={({ number, undo }) => `attempt-${name}-${undo ? "undo" : "run"}-${number}`}
        caption={`Attempts of ${name}, newest first`}
      />
      {more === 0 ? null : <p class="quiet">{more} in between are not shown.</p>}
    </details>
  );
}

const RESIDUE_COLUMNS: readonly Column<Residue>[] = [
  { title: "Object", kind: "grow", show: ({ object }) => <Middle of={object} /> },
  { title: "Why", show: ({ reason }) => <Text of={reason} max={500} /> },
  {
    title: "How to remove it",
    show: ({ remedy }) => remedy === "" ? null : <Command of={remedy} />,
  },
];

/** The steps against the time that they had. */
function waterfallOf(
  { createTime, startTime, endTime, deadline, steps, done }: Operation,
  now: number,
): Parameters<typeof Waterfall>[0] {
  const fromMs = createTime ? timestampMs(createTime) : now;
  const toMs = Math.max(endTime ? timestampMs(endTime) : now, fromMs + 1);
  const begun = startTime ? timestampMs(startTime) : toMs;
  const rows: WaterfallRow[] = [
    {
      name: "waited to begin",
      spans: [{ tone: "idle", fromMs, toMs: begun, title: "waited to begin" }],
    },
    ...steps.map((step) => ({
      name: step.name,
      spans: step.attempts.filter(({ startTime }) => startTime).map((attempt) => ({
        tone: toneOf(attempt),
        fromMs: timestampMs(attempt.startTime!),
        toMs: attempt.endTime ? timestampMs(attempt.endTime) : toMs,
        title: `${attempt.undo ? "undo" : "attempt"} ${attempt.number}: ${
          attempt.error?.reason ?? (attempt.endTime ? "succeeded" : "runs")
        }`,
      })),
    })),
  ];
  const deadlineMs = deadline && !done ? timestampMs(deadline) : undefined;
  return { rows, fromMs, toMs, deadlineMs };
}

const toneOf = ({ error, endTime, undo }: StepAttempt): Tone =>
  error ? "bad" : !endTime ? "busy" : undo ? "warn" : "ok";
