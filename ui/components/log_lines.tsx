import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StreamLogsResponse } from "@mpc/proto";
import { shown } from "../format/text.ts";
import { Icon } from "./icons.tsx";

/** The longest line that is shown whole. */
export const MAX_LINE = 2_000;

/** Lines of a log. With a script they go on, can be searched and be paused. */
export function LogLines({ of, workload, replica }: {
  readonly of: readonly StreamLogsResponse[];
  /** Name of the workload. */
  readonly workload: string;
  /** The only copy whose lines are shown; "" for all. */
  readonly replica: string;
}) {
  const query = new URLSearchParams({ name: workload, replica });
  return (
    <div class="log" data-log={`/ui/logs?${query}`} data-keep>
      <div class="toolbar log-tools">
        <Icon name="search" />
        <input
          class="field"
          type="search"
          placeholder="Search these lines"
          aria-label="Search these lines"
        />
        <button type="button" class="button" aria-pressed="false">Pause</button>
        <span class="muted small" role="status"></span>
      </div>
      <div class="log-lines" tabindex={0} role="log" aria-live="off" aria-label="Log lines">
        {of.length === 0 ? <p class="muted log-none">Nothing has been printed yet.</p> : null}
        {of.map((line, index) => <Line key={index} of={line} />)}
      </div>
    </div>
  );
}

function Line({ of: { time, replica, text } }: { readonly of: StreamLogsResponse }) {
  const moment = time ? new Date(timestampMs(time)).toISOString() : "";
  return (
    <p class="log-line">
      <time datetime={moment} title={moment}>{moment.slice(11, 23)}</time>
      <span class="log-from" title={replica}>{shown(replica, 80).slice(-5)}</span>
      <bdi>{shown(text, MAX_LINE)}</bdi>
    </p>
  );
}
