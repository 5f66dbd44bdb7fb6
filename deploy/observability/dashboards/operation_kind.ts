/** How one kind of operation goes, and why its steps fail. */
import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { choice, curves, page } from "./panels.ts";
import { OPERATIONS, perSecond, quantile } from "./queries.ts";

export function operationKind(): Dashboard {
  const chosen = `kind=~"$kind"`;
  return page("mpc-kind", "Mini platform: one kind of operation", "How one kind of change goes")
    .withVariable(choice("kind", "Kind", `${OPERATIONS}_count`))
    .withPanel(curves(
      { title: "Ended", description: "Operations of this kind, by outcome", unit: "ops" },
      [`sum by (outcome) (${perSecond(`${OPERATIONS}_count{${chosen}}`)})`, "{{outcome}}"],
    ))
    .withPanel(curves(
      {
        title: "Share that failed, by who must act",
        description: "Of all operations of this kind that ended",
        unit: "percentunit",
      },
      [
        `sum by (fault) (${perSecond(`mpc_operations_ended_total{${chosen}, fault!="none"}`)})` +
        ` / ignoring (fault) group_left sum(${perSecond(`mpc_operations_ended_total{${chosen}}`)})`,
        "{{fault}}",
      ],
    ))
    .withPanel(curves(
      {
        title: "Time from request to end",
        description: "With all waits and retries, by outcome",
        unit: "s",
      },
      [quantile(0.5, OPERATIONS, `{${chosen}}`, "outcome"), "{{outcome}}: half are faster"],
      [quantile(0.95, OPERATIONS, `{${chosen}}`, "outcome"), "{{outcome}}: 95 % are faster"],
    ))
    .withPanel(curves(
      { title: "Time, by engine", description: "The average, by engine", unit: "s" },
      [
        `sum by (engine) (${perSecond(`${OPERATIONS}_sum{${chosen}}`)}) / sum by (engine) (${
          perSecond(`${OPERATIONS}_count{${chosen}}`)
        })`,
        "{{engine}}",
      ],
    ))
    .withRow(new RowBuilder("Steps of all kinds"))
    .withPanel(curves(
      {
        title: "Attempts",
        description: "Attempts of steps and of their undos, by result",
        unit: "ops",
      },
      [
        `sum by (direction, result) (${perSecond("mpc_step_attempts_total")})`,
        "{{direction}} {{result}}",
      ],
    ))
    .withPanel(curves(
      {
        title: "Retries and failures, by reason",
        description: "docs/reasons.md says what each reason means and what to do",
        unit: "ops",
      },
      [
        `sum by (step, reason) (${perSecond(`mpc_step_attempts_total{reason!=""}`)})`,
        "{{step}} {{reason}}",
      ],
    ))
    .build();
}
