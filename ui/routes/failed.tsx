/** Pages in place of a page that cannot be shown. */
import { Code } from "@connectrpc/connect";
import type { CallFailure } from "@mpc/client";
import { PageHead } from "../components/layout.tsx";
import { Failure } from "../components/section.tsx";
import { Empty, Text } from "../components/text.tsx";
import type { Rendered } from "../page.ts";

/** How often a page is loaded again while the server cannot answer. */
const RETRY_MS = 3_000;

/** The page in place of one that needs a call that failed. */
export function failedPage(failure: CallFailure): Rendered {
  const { code } = failure;
  const passes = code !== Code.NotFound && code !== Code.PermissionDenied &&
    code !== Code.InvalidArgument;
  const title = code === Code.NotFound
    ? "Not found"
    : code === Code.PermissionDenied
    ? "You may not see this"
    : passes
    ? "The server cannot answer now"
    : "This address is wrong";
  return {
    title,
    ...(passes && { refreshMs: RETRY_MS, mood: "failed" as const }),
    ...(code === Code.NotFound && { watch: ["*"] }),
    body: (
      <>
        <PageHead title={title} />
        <Failure of={failure} />
        {code === Code.PermissionDenied
          ? (
            <p class="muted">
              See what you may do with <code>mpctl auth whoami</code>.
            </p>
          )
          : null}
      </>
    ),
  };
}

/** The page at an address that no page has. */
export const missingPage = (path: string): Rendered => ({
  title: "Not found",
  body: (
    <>
      <PageHead title="Not found" />
      <Empty>
        There is no page at{" "}
        <code>
          <Text of={path} max={300} />
        </code>.
      </Empty>
      <p>
        <a href="/">Go to the overview</a>
      </p>
    </>
  ),
});
