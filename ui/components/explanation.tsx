import type { ExplainOperationResponse } from "@mpc/proto";
import { pathOf } from "../names.ts";
import { Icon } from "./icons.tsx";
import { Command, Text } from "./text.tsx";

const RESPONSIBLE: Readonly<Record<string, string>> = {
  nobody: "Nobody needs to act",
  caller: "Whoever asked for it must act",
  platform: "The operators of the platform must act",
  cluster: "The operators of the cluster must act",
};

/** Why an operation is as it is: the nearest cause first in words, then the chain, and the way out. */
export function Explanation({ of, operation, tone }: {
  readonly of: ExplainOperationResponse;
  /** The name of the operation, to link to it; not given on its own page. */
  readonly operation?: string;
  readonly tone: "bad" | "warn" | "idle";
}) {
  const { summary, causes, responsible, nextStep, nextCommand } = of;
  return (
    <div class={`notice ${tone}`} role="note">
      <Icon name={tone === "idle" ? "waiting" : tone === "bad" ? "failed" : "attention"} />
      <div>
        <p class="strong">
          <Text of={summary} max={1_000} />
        </p>
        {causes.length === 0 ? null : (
          <ol class="causes">
            {causes.map(({ scope, subject, reason, message }, index) => (
              <li key={index}>
                <span class="muted">
                  {scope} <Text of={subject} max={120} />
                </span>{" "}
                <code class="reason">
                  <Text of={reason} max={80} />
                </code>{" "}
                <Text of={message} max={2_000} />
              </li>
            ))}
          </ol>
        )}
        <p>
          <span class="muted">{RESPONSIBLE[responsible] ?? responsible}</span>
          {nextStep === "" ? null : (
            <>
              : <Text of={nextStep} max={500} />
            </>
          )}
        </p>
        {nextCommand === "" ? null : (
          <p>
            <Command of={nextCommand} />
          </p>
        )}
        {operation === undefined ? null : (
          <p>
            <a href={pathOf(operation)}>See the operation</a>
          </p>
        )}
      </div>
    </div>
  );
}
