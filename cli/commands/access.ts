import { toJson } from "@bufbuild/protobuf";
import {
  type AccessGrantJson,
  AccessGrantSchema,
  AccessService,
  CheckAccessResponseSchema,
} from "@mpc/proto";
import { type CommandContext, withClient } from "../context.ts";
import { EXIT, usageError } from "../errors/cli_error.ts";
import { environmentName } from "../names.ts";
import type { Column } from "../output/columns.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { printJsonList } from "../output/print_json.ts";

interface AsFlags {
  readonly as?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
}

/** The nouns of permissions, by what users call them. */
const NOUNS: Readonly<Record<string, string>> = {
  env: "environments",
  environment: "environments",
  environments: "environments",
  wl: "workloads",
  workload: "workloads",
  workloads: "workloads",
  op: "operations",
  operation: "operations",
  operations: "operations",
  platform: "platform",
  token: "tokens",
  tokens: "tokens",
  audit: "audit",
  access: "access",
};

/** Verbs that need the same permission as another one. */
const VERBS: Readonly<Record<string, string>> = { list: "get", watch: "get", abandon: "delete" };

const IN_ENVIRONMENTS = ["environments", "workloads", "operations"];

/** `mpctl auth can-i`: prints yes or no, and exits with 1 for no. */
export async function canI(
  context: CommandContext,
  verb: string,
  noun: string,
  flags: AsFlags,
): Promise<number> {
  const { config, terminal } = context;
  const plural = Object.hasOwn(NOUNS, noun) ? NOUNS[noun]! : undefined;
  if (plural === undefined) {
    throw usageError(`Cannot ask about '${noun}': must be ${Object.keys(NOUNS).join(", ")}`);
  }
  const { environment } = config;
  const isScoped = IN_ENVIRONMENTS.includes(plural);
  const answer = await withClient(context, AccessService, (client) =>
    client.checkAccess({
      permission: `${plural}.${Object.hasOwn(VERBS, verb) ? VERBS[verb] : verb}`,
      resource: isScoped && environment ? environmentName(environment) : "",
      ...aboutOf(flags),
    }));
  if (!isForPeople(config.output)) {
    await printMessage(context, CheckAccessResponseSchema, answer);
  } else {
    const givers = answer.grantedBy.length > 0 ? `; ask ${answer.grantedBy.join(" or ")}` : "";
    terminal.out(`${answer.allowed ? "yes" : "no"}: ${answer.reason}${givers}\n`);
  }
  return answer.allowed ? EXIT.OK : EXIT.ERROR;
}

/** `mpctl auth list` */
export async function listAccess(context: CommandContext, flags: AsFlags): Promise<number> {
  const { principal, grants } = await withClient(
    context,
    AccessService,
    (client) => client.listAccess(aboutOf(flags)),
  );
  const rows = grants.map((grant) => toJson(AccessGrantSchema, grant) as AccessGrantJson);
  await printJsonList(context, COLUMNS, rows, `'${principal}' has no roles`);
  return EXIT.OK;
}

const COLUMNS: readonly Column<AccessGrantJson>[] = [
  { header: "ROLE", fields: ["role"], value: ({ role = "" }) => role },
  { header: "WHERE", fields: ["scope"], value: whereOf },
  { header: "BOUND TO", fields: ["subject"], value: ({ subject = "" }) => subject },
  {
    header: "PERMISSIONS",
    fields: ["permissions"],
    value: ({ permissions = [] }) => permissions.join(","),
    wide: true,
  },
];

function whereOf({ scope }: AccessGrantJson): string {
  const { environments = [], selector = "" } = scope ?? {};
  const parts = [...environments.length > 0 ? [environments.join(",")] : []];
  if (selector !== "") parts.push(`-l ${selector}`);
  return parts.join(" ") || "everywhere";
}

/** The principal that is asked about; a name without a kind is a user's. */
function aboutOf({ as = "", asGroup = [] }: AsFlags) {
  const isWhole = /^(?:user|token|certificate|serviceaccount):/.test(as);
  return { principal: as === "" || isWhole ? as : `user:${as}`, groups: [...asGroup] };
}
