import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { callerOf, identityOf } from "@mpc/process";
import {
  AccessGrantSchema,
  type AccessService,
  AuthenticationMethod,
  CallerKind,
  CheckAccessResponseSchema,
  ListAccessResponseSchema,
  WhoAmIResponseSchema,
} from "@mpc/proto";
import { checkAccess, type Grant, listAccess, type ServiceDeps } from "@mpc/services";

/** The methods of the API about access. */
export function accessService(deps: ServiceDeps): ServiceImpl<typeof AccessService> {
  return {
    whoAmI(_request, context) {
      const { principal, groups, kind, authentication = "NONE", expireTime } = identityOf(context);
      return create(WhoAmIResponseSchema, {
        principal,
        groups: [...groups],
        kind: kind === "user" ? CallerKind.USER : CallerKind.SERVICE,
        authentication: AuthenticationMethod[authentication],
        ...(expireTime != null && { expireTime: timestampFromMs(expireTime) }),
        grants: deps.authorizer.grants({ principal, groups }).map(toGrant),
      });
    },
    async checkAccess(request, context) {
      const { allowed, reason, grantedBy } = await checkAccess(deps, callerOf(context), request);
      return create(CheckAccessResponseSchema, { allowed, reason, grantedBy: [...grantedBy] });
    },
    async listAccess(request, context) {
      const { principal, grants } = await listAccess(deps, callerOf(context), request);
      return create(ListAccessResponseSchema, { principal, grants: grants.map(toGrant) });
    },
  };
}

function toGrant({ role, permissions, environments, subject }: Grant) {
  const { names = [], selector = "" } = environments ?? {};
  return create(AccessGrantSchema, {
    role,
    permissions: [...permissions],
    scope: { environments: [...names], selector },
    subject,
  });
}
