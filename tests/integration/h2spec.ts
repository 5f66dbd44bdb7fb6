import { goTool } from "../servers/go_tool.ts";

/** A case that a server has failed: its section and title, and the expected result. */
export interface FailedCase {
  readonly name: string;
  readonly detail: string;
}

interface Verdict {
  readonly cases: number;
  readonly failed: readonly FailedCase[];
}

/** How long a case waits for a response; longer than a busy machine needs. */
const CASE_SECONDS = 3;

/**
 * Runs all cases of h2spec, including the strict ones, with a server without TLS.
 * @param path which its requests name
 */
export async function h2spec(host: string, port: number, path: string): Promise<Verdict> {
  const report = await Deno.makeTempFile({ prefix: "mpc-h2spec-", suffix: ".xml" });
  try {
    const { stdout, stderr } = await new Deno.Command(await goTool("h2spec"), {
      args: [
        ...["--host", host, "--port", String(port), "--path", path, "--strict"],
        ...["--timeout", String(CASE_SECONDS), "--junit-report", report],
      ],
    }).output();
    const xml = await Deno.readTextFile(report);
    const text = new TextDecoder();
    if (!xml.includes("<testcase")) throw new Error(text.decode(stdout) + text.decode(stderr));
    const cases = [...xml.matchAll(/<testcase ([^>]*)>([^]*?)<\/testcase>/g)];
    return {
      cases: cases.length,
      failed: cases.filter(([, , body]) => /<(failure|error)/.test(body!)).map(
        ([, attributes, body]) => ({
          name: `${attribute(attributes!, "package")}: ${attribute(attributes!, "classname")}`,
          detail: body!.trim(),
        }),
      ),
    };
  } finally {
    await Deno.remove(report);
  }
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
}
