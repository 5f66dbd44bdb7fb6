import { AuditPhase, type AuditRecord, AuditService } from "@mpc/proto";
import { PageHead } from "../components/layout.tsx";
import { type Column, Pager, Table } from "../components/table.tsx";
import { Empty, Middle, Text } from "../components/text.tsx";
import { When } from "../components/time.tsx";
import { pathOf, quoted } from "../names.ts";
import type { Page } from "../page.ts";

const PAGE_SIZE = 50;

/** Who asked for what, and what came of it, newest first; for those who may read the audit. */
export const audit: Page = async ({ api, query, signal, url }) => {
  const filter = ["actor", "method", "target"].filter((name) => query(name).trim() !== "")
    .map((name) => `${name}:${quoted(query(name).trim())}`).join(" AND ");
  const { auditRecords: records, nextPageToken } = await api.client(AuditService).listAuditRecords(
    { pageSize: PAGE_SIZE, pageToken: query("page"), filter, orderBy: "sequence desc" },
    { signal },
  );
  return {
    title: "Audit",
    nav: "audit",
    body: (
      <>
        <PageHead title="Audit" />
        <form class="toolbar search" role="search">
          {([["actor", "Who"], ["method", "Method"], ["target", "Target"]] as const).map((
            [name, title],
          ) => (
            <input
              key={name}
              class="field"
              type="search"
              name={name}
              value={query(name)}
              placeholder={title}
              aria-label={`Search by ${title.toLowerCase()}`}
            />
          ))}
          <button type="submit" class="button">Search</button>
        </form>
        {records.length > 0
          ? (
            <Table
              of={records}
              columns={COLUMNS}
              rowKey={({ name }) => name}
              caption="Audit records, newest first"
            />
          )
          : (
            <Empty command="mpctl audit --since 2h">
              {filter === "" ? "Nothing has been recorded yet." : "No record matches."}
            </Empty>
          )}
        <Pager url={url} nextPageToken={nextPageToken} />
      </>
    ),
  };
};

const COLUMNS: readonly Column<AuditRecord>[] = [
  { title: "When", show: ({ time }) => <When at={time} /> },
  { title: "Who", show: ({ actor }) => <Middle of={actor} /> },
  {
    title: "Method",
    show: ({ method }) => <Text of={method.replace(/^.*\//, "")} max={80} />,
  },
  { title: "Target", kind: "grow", show: ({ target }) => <Middle of={target} /> },
  {
    title: "Result",
    show: ({ phase, result, reason, operation }) => (
      <>
        {phase === AuditPhase.REQUESTED
          ? <span class="muted">requested</span>
          : <Text of={result} max={40} />} {reason === "" ? null : (
          <code class="reason">
            <Text of={reason} max={80} />
          </code>
        )}
        {operation === "" ? null : <a href={pathOf(operation)}>operation</a>}
      </>
    ),
  },
  { title: "From", kind: "wide", show: ({ source }) => <Text of={source} max={60} /> },
];
