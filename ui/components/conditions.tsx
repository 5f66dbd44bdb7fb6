import type { Condition } from "@mpc/proto";
import { conditionLook, isBad, State } from "./state.tsx";
import { Table } from "./table.tsx";
import { Text } from "./text.tsx";
import { When } from "./time.tsx";

/** Conditions: bad news first, the oldest of it at the top, since it is most likely the cause. */
export function Conditions({ of }: { readonly of: readonly Condition[] }) {
  if (of.length === 0) return <p class="quiet">Nothing has been observed yet.</p>;
  const since = ({ lastTransitionTime }: Condition) => Number(lastTransitionTime?.seconds ?? 0);
  const sorted = [...of].sort((a, b) => Number(isBad(b)) - Number(isBad(a)) || since(a) - since(b));
  return (
    <Table
      of={sorted}
      caption="Conditions"
      rowKey={({ type }) => `condition-${type}`}
      columns={[
        { title: "Condition", show: ({ type }) => <Text of={type} max={60} /> },
        { title: "Holds", show: ({ type, status }) => <State of={conditionLook(type, status)} /> },
        {
          title: "Why",
          show: ({ reason, message }) => (
            <span class="wrap">
              <code class="reason">
                <Text of={reason} max={80} />
              </code>{" "}
              <Text of={message} max={1_000} />
            </span>
          ),
        },
        {
          title: "Since",
          kind: "num",
          show: ({ lastTransitionTime }) => <When at={lastTransitionTime} />,
        },
      ]}
    />
  );
}
