import {
  type AccessGrant,
  AccessService,
  AuthenticationMethod,
  type WhoAmIResponse,
  WhoAmIResponseSchema,
} from "@mpc/proto";
import { type CommandContext, withClient } from "../context.ts";
import { printable } from "../credentials/issuer.ts";
import { EXIT } from "../errors/cli_error.ts";
import { isForPeople } from "../output/format.ts";
import { printMessage } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { until } from "../output/time.ts";

const AUTHENTICATION: Readonly<Record<AuthenticationMethod, string>> = {
  [AuthenticationMethod.UNSPECIFIED]: "",
  [AuthenticationMethod.NONE]: "none: the server has no access file",
  [AuthenticationMethod.OIDC]: "OpenID Connect",
  [AuthenticationMethod.TOKEN]: "token of this server",
  [AuthenticationMethod.CERTIFICATE]: "client certificate",
  [AuthenticationMethod.SERVICE_ACCOUNT]: "Kubernetes service account",
};

/** `mpctl whoami` */
export async function whoAmI(context: CommandContext): Promise<number> {
  const { config, terminal } = context;
  const answer = await withClient(context, AccessService, (client) => client.whoAmI({}));
  if (isForPeople(config.output)) terminal.out(await renderTable([], rowsOf(answer), false));
  else await printMessage(context, WhoAmIResponseSchema, answer);
  return EXIT.OK;
}

function rowsOf(answer: WhoAmIResponse): readonly (readonly string[])[] {
  const { principal, groups, authentication, expireTime, grants } = answer;
  const [first = "none", ...others] = grants.map(grantText);
  return [
    ["Principal", printable(principal)],
    ["Groups", groups.map(printable).join(", ") || "none"],
    ["Authenticated by", AUTHENTICATION[authentication]],
    ["Expires in", until(expireTime)],
    ["Roles", first],
    ...others.map((text) => ["", text]),
  ];
}

/** `deployer on environments team-a-* with labels team=a` */
function grantText({ role, scope }: AccessGrant): string {
  const { environments = [], selector = "" } = scope ?? {};
  const names = environments.length > 0 ? environments.join(", ") : "";
  if (names === "" && selector === "") return role;
  return `${role} on environments${names && ` ${names}`}${selector && ` with labels ${selector}`}`;
}
