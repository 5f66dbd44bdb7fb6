import type { ComponentChildren } from "preact";
import { shown } from "../format/text.ts";

/** A text of somebody else. */
export function Text({ of, max }: { readonly of: string; readonly max?: number }) {
  return <bdi>{shown(of, max)}</bdi>;
}

/** How many characters at its end a truncated text keeps. */
const TAIL = 8;

/** A name or an id on one line: if it does not fit, its middle is cut; the whole is on hover. */
export function Middle({ of }: { readonly of: string }) {
  const text = shown(of, 300);
  if (text.length <= 2 * TAIL) return <bdi class="nowrap">{text}</bdi>;
  return (
    <bdi class="mid" title={text}>
      <span>{text.slice(0, -TAIL)}</span>
      <span>{text.slice(-TAIL)}</span>
    </bdi>
  );
}

/** A command to copy. */
export function Command({ of }: { readonly of: string }) {
  return (
    <span class="command">
      <code>{shown(of, 1_000)}</code>
      <button type="button" class="copy" data-copy={of} aria-label="Copy the command">Copy</button>
    </span>
  );
}

/** What is shown in the place of a list without entries, and the command that fills it. */
export function Empty({ children, command }: {
  readonly children: ComponentChildren;
  readonly command?: string | undefined;
}) {
  return (
    <div class="empty">
      <p>{children}</p>
      {command === undefined ? null : <Command of={command} />}
    </div>
  );
}
