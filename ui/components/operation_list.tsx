import type { Operation } from "@mpc/proto";
import { idOf, pathOf, shortName } from "../names.ts";
import { OPERATION_LOOKS, State } from "./state.tsx";
import { type Column, Table } from "./table.tsx";
import { Middle, Text } from "./text.tsx";
import { Took, When } from "./time.tsx";

/** The fields of operations that their lists show. */
export const LISTED_FIELDS = [
  "name",
  "kind",
  "target",
  "state",
  "done",
  "actor",
  "error",
  "create_time",
  "start_time",
  "end_time",
  "waiting_reason",
];

const COLUMNS: readonly Column<Operation>[] = [
  { title: "State", show: ({ state }) => <State of={OPERATION_LOOKS[state]} /> },
  {
    title: "Operation",
    show: ({ name, kind }) => <a class="nowrap" href={pathOf(name)} title={idOf(name)}>{kind}</a>,
  },
  {
    title: "Target",
    kind: "grow",
    show: ({ target }) => (
      <a href={pathOf(target)}>
        <Middle of={shortName(target)} />
      </a>
    ),
  },
  {
    title: "Reason",
    kind: "wide",
    show: ({ error, waitingReason }) =>
      error
        ? (
          <code class="reason nowrap" title={error.message}>
            <Text of={error.reason} max={80} />
          </code>
        )
        : waitingReason === ""
        ? null
        : (
          <span class="muted clip" title={waitingReason}>
            <Text of={waitingReason} max={60} />
          </span>
        ),
  },
  { title: "By", kind: "wide", show: ({ actor }) => <Middle of={actor} /> },
  {
    title: "Took",
    kind: "num",
    show: ({ startTime, endTime }) => <Took from={startTime} to={endTime} />,
  },
  { title: "Started", kind: "num", show: ({ createTime }) => <When at={createTime} /> },
];

/** Operations as rows. @param id distinguishes lists of one page */
export function OperationList({ of, id, caption }: {
  readonly of: readonly Operation[];
  readonly id: string;
  readonly caption: string;
}) {
  return (
    <Table
      of={of}
      columns={COLUMNS}
      rowKey={({ name }) => `${id}-${name}`}
      caption={caption}
    />
  );
}
