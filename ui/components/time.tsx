import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { useContext } from "preact/hooks";
import { relative, spanOf } from "../format/time.ts";
import { Now } from "./page_state.ts";

/** A moment as seen from now, exact on hover; the browser keeps it current. */
export function When({ at, none = "—" }: {
  readonly at: Timestamp | undefined;
  /** What is shown if there is no such moment. */
  readonly none?: string;
}) {
  const now = useContext(Now);
  if (!at) return <span class="muted">{none}</span>;
  const iso = new Date(timestampMs(at)).toISOString();
  return (
    <time class="nowrap" datetime={iso} title={iso} data-rel>{relative(timestampMs(at), now)}</time>
  );
}

/** How long something took, or has taken until now. */
export function Took({ from, to }: {
  readonly from: Timestamp | undefined;
  readonly to: Timestamp | undefined;
}) {
  const now = useContext(Now);
  if (!from) return <span class="muted">—</span>;
  const start = timestampMs(from);
  const span = spanOf((to ? timestampMs(to) : now) - start);
  const since = to ? {} : { "data-since": new Date(start).toISOString() };
  return <span class="nowrap num" {...since}>{span}</span>;
}
