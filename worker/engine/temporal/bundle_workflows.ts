/** Bundles the workflows: `deno task bundle:workflows`. Workers read only its output. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFINITIONS } from "@mpc/services/sagas";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";
import { BUNDLE_PATH } from "./bundle_path.ts";
import { stepListsSource } from "./step_lists_source.ts";

const WORKFLOWS = fileURLToPath(new URL("./workflows/mod.ts", import.meta.url));
const STEP_LISTS = fileURLToPath(new URL("./workflows/step_lists.ts", import.meta.url));
const ORCHESTRATE = fileURLToPath(
  new URL("../../../services/sagas/orchestrate.ts", import.meta.url),
);
const TYPES_LOADER = fileURLToPath(new URL("./strip_types_loader.ts", import.meta.url));

type Config = Parameters<
  NonNullable<Parameters<typeof bundleWorkflowCode>[0]["webpackConfigHook"]>
>[0];
type Rule = NonNullable<NonNullable<Config["module"]>["rules"]>[number];
type Plugin = NonNullable<NonNullable<Config["resolve"]>["plugins"]>[number];

/**
 * The code that the workflow sandbox loads.
 * @param options.workflows replaces `workflows/mod.ts`, for measurements
 * @param options.stepLists replaces `workflows/step_lists.ts`, for tests
 */
export async function bundleWorkflows(
  options: { readonly workflows?: string; readonly stepLists?: string } = {},
): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: options.workflows ?? WORKFLOWS,
    logger: new DefaultLogger("ERROR"),
    webpackConfigHook: (config) => ({
      ...config,
      module: {
        ...config.module,
        rules: [
          ...(config.module?.rules ?? []).filter((rule) => !isForTypeScript(rule)),
          STRIP_TYPES,
        ],
      },
      resolve: {
        ...config.resolve,
        alias: {
          ...config.resolve?.alias,
          "@mpc/services/orchestrate$": ORCHESTRATE,
          ...(options.stepLists && { [STEP_LISTS]: options.stepLists }),
        },
        plugins: [NPM_PACKAGES],
      },
    }),
  });
  return code;
}

const STRIP_TYPES: Rule = { test: /\.ts$/, use: TYPES_LOADER };

function isForTypeScript(rule: Rule): boolean {
  return typeof rule === "object" && rule?.test instanceof RegExp && rule.test.test("a.ts");
}

/** Resolves npm packages with Deno, because webpack looks for them only in `node_modules`. */
const NPM_PACKAGES: Plugin = {
  apply(resolver) {
    const again = resolver.ensureHook("resolve");
    resolver.getHook("raw-module").tapAsync("npm packages", (request, context, done) => {
      const issuer = (request.context as { issuer?: string }).issuer || import.meta.url;
      let found: string;
      try {
        found = createRequire(issuer).resolve(request.request ?? "");
      } catch {
        // Deno does not know this package: webpack reports the error.
        return done();
      }
      resolver.doResolve(again, { ...request, request: found }, null, context, done);
    });
  },
};

if (import.meta.main) {
  const source = stepListsSource(DEFINITIONS);
  if (await readFile(STEP_LISTS, "utf8") !== source) await writeFile(STEP_LISTS, source);
  await mkdir(dirname(BUNDLE_PATH), { recursive: true });
  await writeFile(BUNDLE_PATH, await bundleWorkflows());
  console.log(BUNDLE_PATH);
}
