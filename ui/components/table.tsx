import type { ComponentChildren } from "preact";
import { shown } from "../format/text.ts";

/** A column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly show: (item: T) => ComponentChildren;
  /** `num` aligns numbers, `grow` takes the space that is left, `wide` is not for phones. */
  readonly kind?: "num" | "grow" | "wide";
}

/** A table of resources; the key of a row is its id on the page, and must be unique there. */
export function Table<T>({ of, columns, rowKey, caption }: {
  readonly of: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly rowKey: (item: T) => string;
  /** What the table lists, for screen readers. */
  readonly caption: string;
}) {
  return (
    <div class="table-box" tabindex={0} role="group" aria-label={caption}>
      <table class="table">
        <caption class="sr">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, kind = "" }) => (
              <th key={title} scope="col" class={kind}>{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.map((item) => (
            <tr key={rowKey(item)} id={rowKey(item)}>
              {columns.map(({ title, show, kind = "" }) => (
                <td key={title} class={kind}>{show(item)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Labels of a resource. */
export function Labels({ of }: { readonly of: Readonly<Record<string, string>> }) {
  const labels = Object.entries(of);
  if (labels.length === 0) return <span class="muted">—</span>;
  return (
    <span class="labels">
      {labels.map(([key, value]) => {
        const text = shown(`${key}=${value}`, 300);
        return <bdi key={key} class="label" title={text}>{text}</bdi>;
      })}
    </span>
  );
}

/** A link that changes parameters of the page's query; empty ones are removed. */
export function withQuery(url: URL, changes: Readonly<Record<string, string>>): string {
  const changed = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") changed.delete(name);
    else changed.set(name, value);
  }
  const query = changed.toString();
  return query === "" ? url.pathname : `${url.pathname}?${query}`;
}

/** Links to the first and the next page of a list; lists have no way back but the browser's. */
export function Pager({ url, nextPageToken }: {
  readonly url: URL;
  readonly nextPageToken: string;
}) {
  const isFirst = !url.searchParams.has("page");
  if (isFirst && nextPageToken === "") return null;
  return (
    <nav class="pager" aria-label="Pages of the list">
      {isFirst ? null : <a class="button" href={withQuery(url, { page: "" })}>First page</a>}
      {nextPageToken === ""
        ? null
        : <a class="button" rel="next" href={withQuery(url, { page: nextPageToken })}>Next page</a>}
    </nav>
  );
}

/** One choice of several, as links: the chosen one is marked. */
export function Choices({ url, name, label, choices }: {
  readonly url: URL;
  /** The parameter of the query. */
  readonly name: string;
  readonly label: string;
  /** Values and titles; the value "" is the default. */
  readonly choices: readonly (readonly [value: string, title: string])[];
}) {
  const chosen = url.searchParams.get(name) ?? "";
  return (
    <nav class="chips" aria-label={label}>
      {choices.map(([value, title]) => (
        <a
          key={value}
          class="chip"
          href={withQuery(url, { [name]: value, page: "" })}
          {...(value === chosen && { "aria-current": "true" })}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}
