/** The page of reasons, made from the catalogue: `deno task docs`. */
import { type Advice, ERROR_CODES, EVENT_REASONS, REASONS } from "@mpc/domain";
import { markdownTable } from "./markdown_table.ts";

const HEAD = `# Reasons

Made from the catalogue in \`domain/reasons.ts\` and \`domain/event_reasons.ts\` by \`deno task docs\`; do
not edit.

## Errors

Every error has a code of gRPC's and a reason; a reason has one code. \`ErrorInfo\` carries the reason,
\`ErrorAdvice\` who must act and what to do next, and \`mpctl op explain\` says the same about an
operation. Who must act is one of:

- \`caller\`: whoever asked, by asking for something else
- \`platform\`: the operators of the control plane
- \`cluster\`: the operators of the Kubernetes cluster
- \`nobody\`: it is enough to wait

Whether a retry may help stands in the error itself: with \`RetryInfo\` in an answer, as \`retryable\` in
an operation's record. A server of a newer version may send reasons that are not listed here. The causes
of an error may have reasons of other systems, such as \`ErrImagePull\` of Kubernetes.
`;

const EVENTS = `## Events and conditions

Events of the platform and conditions of resources have a reason in CamelCase.
`;

/** The page's text. */
export function reasonsPage(): Promise<string> {
  const codes = ERROR_CODES.map((code) => {
    const rows = Object.entries<Advice>(REASONS[code]).map(([reason, advice]) => [
      `\`${reason}\``,
      advice.responsible,
      advice.command ? `${advice.nextStep}: \`${advice.command}\`` : advice.nextStep,
    ]);
    return `### ${code}\n\n${markdownTable(["Reason", "Who must act", "What to do next"], rows)}`;
  });
  const events = Object.entries(EVENT_REASONS).map(([reason, says]) => [`\`${reason}\``, says]);
  return Promise.resolve(
    [HEAD, ...codes, EVENTS, markdownTable(["Reason", ""], events)].join("\n"),
  );
}
