import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "@mpc/proto";
import { CliError } from "./cli_error.ts";
import { EXIT } from "./exit_codes.ts";

const EXIT_OF: Partial<Record<Code, number>> = {
  [Code.InvalidArgument]: EXIT.USAGE,
  [Code.OutOfRange]: EXIT.USAGE,
  [Code.NotFound]: EXIT.NOT_FOUND,
  [Code.Aborted]: EXIT.CONFLICT,
  [Code.AlreadyExists]: EXIT.CONFLICT,
  [Code.DeadlineExceeded]: EXIT.TIMEOUT,
};

/** Codes that a server of another kind gives rise to. */
const FOREIGN: ReadonlySet<Code> = new Set([
  Code.Unknown,
  Code.Internal,
  Code.Unimplemented,
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
]);

/** What Deno and Node say of a connection that ended too early. */
const BROKEN =
  /ECONNRESET|connection (was )?(reset|closed)|before message completed|reading a body|terminated/i;

/** An error as the person reads it, and what to exit with. */
export function renderError(error: unknown, server: string): { text: string; exitCode: number } {
  if (error instanceof CliError) {
    const hint = error.hint === "" ? "" : `${error.hint}\n`;
    return { text: `Error: ${error.message}\n${hint}`, exitCode: error.exitCode };
  }
  if (error instanceof ConnectError) return renderConnectError(error, server);
  const message = error instanceof Error ? error.message : String(error);
  return { text: `Error: ${message}\n`, exitCode: EXIT.ERROR };
}

function renderConnectError(
  error: ConnectError,
  server: string,
): { text: string; exitCode: number } {
  const own = error.findDetails(ErrorInfoSchema).length > 0;
  const address = server.replace(/\/$/, "");
  if (error.code === Code.DeadlineExceeded && !own) {
    const text = `Error: The server at ${address} takes calls, but did not answer in time\n` +
      "Give it more with --request-timeout\n";
    return { text, exitCode: EXIT.TIMEOUT };
  }
  const unreachable = whyUnreachable(error);
  if (unreachable) {
    const text = `Error: Cannot reach the server at ${address}: ${unreachable}\n` +
      "Start one with 'deno task dev', or set --server or MPC_SERVER\n";
    return { text, exitCode: EXIT.ERROR };
  }
  const lines = [`Error: ${error.rawMessage}`];
  for (const { fieldViolations } of error.findDetails(BadRequestSchema)) {
    for (const { field, description } of fieldViolations) {
      if (!error.rawMessage.endsWith(description)) lines.push(`  ${field}: ${description}`);
    }
  }
  return { text: `${lines.join("\n")}\n`, exitCode: EXIT_OF[error.code] ?? EXIT.ERROR };
}

/** Why no answer of our API came; undefined where one did. */
function whyUnreachable(error: ConnectError): string | undefined {
  const text = [error.rawMessage, messageOf(error.cause), messageOf(causeOf(error.cause))].join(
    " ",
  );
  if (/refused|ECONNREFUSED/i.test(text)) return "connection refused";
  if (/ENOTFOUND|dns error|lookup address|Name resolution failed/i.test(text)) {
    return "no such host";
  }
  if (BROKEN.test(text)) return "the connection broke";
  if (/fetch failed|error sending request|No connection established/i.test(text)) {
    return "it does not answer as this API does";
  }
  // Our API's own errors carry an ErrorInfo (AIP-193).
  if (FOREIGN.has(error.code) && error.findDetails(ErrorInfoSchema).length === 0) {
    return `it does not answer as this API does (${error.rawMessage})`;
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.message} ${"code" in error ? error.code : ""}` : "";
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
