import type { CallFailure } from "@mpc/client";
import { Code } from "@connectrpc/connect";
import type { ComponentChildren } from "preact";
import type { Loaded } from "../section.ts";
import { Icon } from "./icons.tsx";
import { Text } from "./text.tsx";

/** A part of a page. Live updates change what is in it; its id must be unique on the page. */
export function Section({ id, title, aside, children }: {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="section" aria-labelledby={`${id}-title`} id={id}>
      <div class="section-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Shows what was loaded, or why it could not be. */
export function Outcome<T>({ of, children }: {
  readonly of: Loaded<T>;
  readonly children: (value: T) => ComponentChildren;
}) {
  return of.ok ? <>{children(of.value)}</> : <Failure of={of.failure} />;
}

/** A failed call: what, why, and what to do. */
export function Failure({ of }: { readonly of: CallFailure }) {
  const denied = of.code === Code.PermissionDenied;
  return (
    <div class={`notice ${denied ? "idle" : "bad"}`} role="note">
      <Icon name={denied ? "stopped" : "failed"} />
      <div>
        <p>
          <Text of={of.message} max={1_000} />
        </p>
        {of.nextStep === "" ? null : (
          <p class="muted">
            <Text of={of.nextStep} max={1_000} />
          </p>
        )}
        {of.reason === "" ? null : (
          <p>
            <code class="reason">{of.reason}</code>
          </p>
        )}
      </div>
    </div>
  );
}
