/**
 * Every RPC, for every role and scope, at both doors: allowed or refused as the table of needs says.
 * The roles are bound by a real access file; only the credentials are those of a test.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { BUILT_IN_ROLES } from "@mpc/access";
import { startAllInOne } from "@mpc/api";
import { MpcError, type OperationKind } from "@mpc/domain";
import type { Call, Identity } from "@mpc/process";
import * as proto from "@mpc/proto";
import { METHOD_NAMES, type MethodNeed, needOf, type Permission } from "@mpc/services";
import { createGrpcTransport } from "../../client/grpc_transport.ts";
import { anEnvironment, anOperation, aWorkload } from "../fakes/documents.ts";
import type { Platform } from "../fakes/platform.ts";
import { QUIET_CONFIG } from "../fakes/quiet_config.ts";
import { withFolder } from "../servers/with_folder.ts";
import { failure } from "./doors.ts";
import { withGuardedDoors } from "./guarded_doors.ts";

/** Every service that the protos define. */
const SERVICES: readonly DescService[] = Object.values(proto)
  .filter((it) => typeof it === "object" && "kind" in it && it.kind === "service");

/** Where a role is bound. */
const SCOPES = {
  everywhere: "",
  names: ", environments: {names: ['team-a-*']}",
  selector: ", environments: {selector: team=a}",
} as const;

type Scope = keyof typeof SCOPES;

const ROLES = Object.keys(BUILT_IN_ROLES);

/** Each role in each scope is bound to a principal of its own. */
const principalOf = (role: string, scope: Scope) => `user:${role}-${scope}`;

const FILE = `bindings:\n${
  ROLES.flatMap((role) =>
    Object.entries(SCOPES).map(([scope, environments]) =>
      `- {role: ${role}, principals: ['${principalOf(role, scope as Scope)}']${environments}}`
    )
  ).join("\n")
}\n`;

/** An environment that the scopes hold, and one that they do not. */
const TARGETS = ["team-a-1", "other"] as const;

type Target = (typeof TARGETS)[number];

const labelsOf = (target: Target): Record<string, string> =>
  target === "other" ? {} : { team: "a" };

const operationOf = (target: Target) =>
  `00000000-0000-4000-8000-00000000000${TARGETS.indexOf(target) + 1}`;

type Fields = Record<string, unknown>;

/** The fields of a request about a target. No request changes anything, also where it is allowed. */
function fieldsFor(method: DescMethod, target: Target): Fields {
  const env = `environments/${target}`;
  const web = `${env}/workloads/web`;
  const name = `operations/${operationOf(target)}`;
  const validateOnly = true;
  const change = { name: web, validateOnly };
  const requests: Readonly<Record<string, Fields>> = {
    CreateEnvironment: {
      environmentId: `${target}-new`,
      environment: { labels: labelsOf(target) },
      validateOnly,
    },
    GetEnvironment: { name: env },
    UpdateEnvironment: {
      environment: { name: env, annotations: { a: "b" } },
      updateMask: { paths: ["annotations"] },
      validateOnly,
    },
    DeleteEnvironment: { name: env, force: true, validateOnly },
    DeployWorkload: {
      parent: env,
      workloadId: "web",
      workload: { spec: { image: "nginx:1.28" } },
      validateOnly,
    },
    GetWorkload: { name: web },
    ListWorkloads: { parent: "environments/-" },
    ListPods: { parent: "environments/-/workloads/-" },
    ListClusterEvents: { parent: "environments/-/workloads/-" },
    ScaleWorkload: { ...change, replicas: 2 },
    RestartWorkload: change,
    RollbackWorkload: { ...change, revision: 1 },
    ReconcileWorkload: change,
    DeleteWorkload: change,
    ListRevisions: { parent: web },
    GetRevision: { name: `${web}/revisions/1` },
    StreamLogs: { name: web },
    GetOperation: { name },
    WaitOperation: { name },
    WatchOperation: { name },
    ExplainOperation: { name },
    // The method of google.longrunning has no validate_only; an ended operation is not cancelled.
    CancelOperation: method.parent.typeName.startsWith("mpc.") ? { name, validateOnly } : { name },
    RetryOperation: { name, validateOnly },
    DeleteOperation: { name },
    SweepObjects: { validateOnly },
    ClaimCluster: { cluster: "default", validateOnly },
    RevokeToken: { name: "tokens/none" },
    CheckAccess: { permission: "workloads.get" },
    ServerReflectionInfo: { messageRequest: { case: "listServices", value: "" } },
  };
  return requests[method.name] ?? {};
}

/** What a method needs besides the permission of the table. */
const MORE: Readonly<Record<string, readonly Permission[]>> = {
  CancelOperation: ["workloads.deploy"],
  RetryOperation: ["workloads.deploy"],
  WatchEvents: ["workloads.get", "operations.get"],
};

function isAllowed(
  { needs, where }: MethodNeed,
  method: DescMethod,
  { role, scope, target }: { role: string; scope: Scope; target: Target },
): boolean {
  if (needs === "public" || needs === "authenticated") return true;
  const has = [needs, ...MORE[method.name] ?? []]
    .every((permission) => BUILT_IN_ROLES[role]?.includes(permission) ?? false);
  if (!has) return false;
  if (where === "platform") return scope === "everywhere";
  return where === "list" || scope === "everywhere" || target !== "other";
}

/** Test credentials: the name of the principal in a header. */
function authenticate({ service, method, context }: Call): Identity {
  const isPublic = needOf(service.typeName, method.name)?.needs === "public";
  const principal = isPublic ? "anonymous" : context.requestHeader.get("x-principal");
  if (principal !== null) return { principal, groups: [], kind: "user" };
  throw new MpcError("UNAUTHENTICATED", {
    reason: "CREDENTIALS_MISSING",
    message: "Cannot take the call: there is no principal",
  });
}

interface Answer {
  readonly code: Code | null;
  readonly message: string;
  /** The response, or the first message of a stream. */
  readonly response: MessageShape<DescMessage> | undefined;
}

/** Calls a method, and reads the first message if it is a stream. */
async function answerOf(
  transport: Transport,
  method: DescMethod,
  fields: Fields,
  principal: string | null,
  timeoutMs?: number,
): Promise<Answer> {
  const stop = new AbortController();
  const headers = principal === null ? {} : { "x-principal": principal };
  const request = create(method.input, fields);
  try {
    if (method.methodKind === "unary") {
      const { message } = await transport.unary(
        method as DescMethodUnary,
        stop.signal,
        undefined,
        headers,
        request,
      );
      return { code: null, message: "", response: message };
    }
    const requests = async function* () {
      yield request;
    };
    const { message } = await transport.stream(
      method as DescMethodStreaming,
      stop.signal,
      timeoutMs,
      headers,
      requests(),
    );
    const { value } = await message[Symbol.asyncIterator]().next();
    return { code: null, message: "", response: value };
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { code, message: rawMessage, response: undefined };
  } finally {
    stop.abort();
  }
}

/** Runs with both doors of a platform whose callers have the roles of the file. */
const withDoors = (
  use: (doors: ReadonlyMap<string, Transport>, platform: Platform) => Promise<void>,
): Promise<void> =>
  withGuardedDoors({ file: FILE, authenticate }, async ({ grpc, web, platform }) => {
    const { store } = platform;
    for (const target of TARGETS) {
      const name = `environments/${target}`;
      await store.environments.create(anEnvironment(target, { labels: labelsOf(target) }));
      await store.workloads.create(aWorkload(target, "web"));
      await store.operations.create(anOperation(operationOf(target), {
        kind: "workload.deploy",
        target: `${name}/workloads/web`,
        state: "FAILED",
        endTime: 1,
      }));
    }
    const onGrpc = createGrpcTransport(grpc);
    const onWeb = createConnectTransport({ baseUrl: web.origin });
    try {
      await use(new Map([["gRPC", onGrpc], ["web", onWeb]]), platform);
    } finally {
      onGrpc.close();
    }
  });

/** Streams that have nothing to send here; without a refusal they end by their deadline. */
const SILENT = ["WatchAuditRecords"];
const SILENT_MS = 500;

const options = { sanitizeOps: false, sanitizeResources: false };

const REFUSED: ReadonlySet<Code | null> = new Set([Code.PermissionDenied, Code.Unauthenticated]);

/** Methods at a door; fetch cannot send a stream of requests. */
const methodsAt = (door: string): readonly DescMethod[] =>
  SERVICES.flatMap(({ methods }): readonly DescMethod[] => methods)
    .filter(({ methodKind }) => door === "gRPC" || methodKind !== "bidi_streaming");

Deno.test(
  "every RPC is allowed or refused by role and scope as the table says, at both doors",
  options,
  () =>
    withDoors(async (doors, { store }) => {
      const head = await store.events.head();
      const cells = { allowed: 0, refused: 0 };
      for (const [door, transport] of doors) {
        for (const method of methodsAt(door)) {
          const need = needOf(method.parent.typeName, method.name);
          assert.ok(need, `${method} is in the table`);
          for (const role of [...ROLES, "none"]) {
            for (const scope of Object.keys(SCOPES) as Scope[]) {
              for (const target of TARGETS) {
                const cell = { role, scope, target };
                const allowed = isAllowed(need, method, cell);
                const fields = fieldsFor(method, target);
                const principal = principalOf(role, scope);
                const { code, message, response } = await answerOf(
                  transport,
                  method,
                  fields,
                  principal,
                  allowed && SILENT.includes(method.name) ? SILENT_MS : undefined,
                );
                const where = `${door} ${method} ${JSON.stringify(cell)}: ${message}`;
                assert.equal(REFUSED.has(code), !allowed, where);
                cells[allowed ? "allowed" : "refused"]++;
                if (!allowed) {
                  assert.equal(code, Code.PermissionDenied, where);
                  assert.match(message, /^Cannot do this as 'user:.*': permission '.*'/, where);
                }
                if (allowed && need.where === "list" && scope !== "everywhere") {
                  const shown = JSON.stringify(
                    response,
                    (_, value) => typeof value === "bigint" ? "" : value,
                  );
                  assert.doesNotMatch(shown ?? "", /environments\/other/, where);
                }
              }
            }
          }
        }
      }
      assert.ok(cells.allowed > 500 && cells.refused > 500, JSON.stringify(cells));
      assert.equal(await store.events.head(), head, "nothing was changed");
      assert.equal(await store.operations.count({}), TARGETS.length);
    }),
);

Deno.test(
  "without credentials only public RPCs are answered, at both doors",
  options,
  () =>
    withDoors(async (doors) => {
      for (const [door, transport] of doors) {
        for (const method of methodsAt(door)) {
          const fields = fieldsFor(method, "other");
          const { code } = await answerOf(transport, method, fields, null);
          const isPublic = needOf(method.parent.typeName, method.name)?.needs === "public";
          assert.equal(code === Code.Unauthenticated, !isPublic, `${door} ${method}: ${code}`);
        }
      }
    }),
);

/** What requested an operation, and what its cancellation and its retry need beside their own. */
const CHANGES: readonly (readonly [OperationKind, string, Permission])[] = [
  ["workload.deploy", "deploy", "workloads.deploy"],
  ["workload.deploy", "scale", "workloads.scale"],
  ["workload.deploy", "restart", "workloads.restart"],
  ["workload.deploy", "rollback", "workloads.rollback"],
  ["workload.deploy", "reconcile", "workloads.reconcile"],
  ["workload.delete", "", "workloads.delete"],
  ["workload.abandon", "", "workloads.delete"],
  ["environment.create", "", "environments.create"],
  ["environment.update", "", "environments.update"],
  ["environment.delete", "", "environments.delete"],
  ["environment.abandon", "", "environments.delete"],
];

/** A role with one permission to change something, and those for operations. */
const changerOf = (permission: Permission) => permission.replace(".", "-");

const CHANGERS = [...new Set(CHANGES.map(([, , permission]) => permission))];

const CHANGERS_FILE = `roles:\n${
  CHANGERS.map((permission) =>
    `- {name: ${
      changerOf(permission)
    }, permissions: [${permission}, operations.get, operations.cancel, operations.retry]}\n`
  ).join("")
}bindings:\n${
  CHANGERS.map((permission) =>
    `- {role: ${changerOf(permission)}, principals: ['user:${changerOf(permission)}']}\n`
  ).join("")
}`;

Deno.test(
  "cancelling and retrying an operation need what requesting it takes, at both doors",
  options,
  () =>
    withGuardedDoors({ file: CHANGERS_FILE, authenticate }, async ({ grpc, web, platform }) => {
      const onGrpc = createGrpcTransport(grpc);
      const onWeb = createConnectTransport({ baseUrl: web.origin });
      const { cancelOperation, retryOperation } = proto.OperationService.method;
      const { cancelOperation: cancelLongRunning } = proto.LongRunningOperations.method;
      for (const [index, [kind, verb, needed]] of CHANGES.entries()) {
        const id = `00000000-0000-4000-8000-0000000001${String(index).padStart(2, "0")}`;
        const dev = "environments/dev";
        await platform.store.operations.create(anOperation(id, {
          kind,
          target: kind.startsWith("workload") ? `${dev}/workloads/web` : dev,
          input: verb === "" ? {} : { verb },
          state: "FAILED",
          endTime: 1,
        }));
        for (const [door, transport] of [["gRPC", onGrpc], ["web", onWeb]] as const) {
          for (const permission of CHANGERS) {
            for (const method of [cancelOperation, retryOperation, cancelLongRunning]) {
              const fields = {
                name: `operations/${id}`,
                ...(method !== cancelLongRunning && { validateOnly: true }),
              };
              const principal = `user:${changerOf(permission)}`;
              const { code, message } = await answerOf(transport, method, fields, principal);
              const where = `${door} ${method.name} ${kind} ${verb} as ${principal}: ${message}`;
              assert.equal(code === Code.PermissionDenied, permission !== needed, where);
            }
          }
        }
      }
      onGrpc.close();
    }),
);

Deno.test("the matrix has every RPC of the table", () => {
  const names = SERVICES.flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => `${typeName}/${name}`)
  );
  assert.deepEqual(METHOD_NAMES.filter((name) => !names.includes(name)), []);
});

Deno.test(
  "with an access file a server takes no call without credentials but public ones",
  options,
  () =>
    withFolder(async (folder) => {
      const accessFile = join(folder, "access.yaml");
      await writeFile(accessFile, FILE);
      const platform = await startAllInOne({ ...QUIET_CONFIG, accessFile });
      const { port } = platform.grpcAddress;
      const transport = createGrpcTransport(new URL(`grpc://127.0.0.1:${port}`));
      try {
        await createClient(proto.DiagnosticsService, transport).getServerInfo({});
        await createClient(proto.Health, transport).check({});
        const refused = await failure(createClient(proto.AccessService, transport).whoAmI({}));
        assert.equal(refused.code, Code.Unauthenticated);
      } finally {
        transport.close();
        await platform.close();
      }
    }),
);

Deno.test("without an access file everything is allowed to the local user", options, async () => {
  const platform = await startAllInOne(QUIET_CONFIG);
  const { port } = platform.webAddress;
  const transport = createConnectTransport({ baseUrl: `http://127.0.0.1:${port}` });
  try {
    const { whoAmI, checkAccess, listAccess } = createClient(proto.AccessService, transport);
    const who = await whoAmI({});
    assert.deepEqual([who.principal, who.kind], ["local", proto.CallerKind.USER]);
    assert.equal(who.authentication, proto.AuthenticationMethod.NONE);
    assert.ok((await checkAccess({ permission: "platform.sweep" })).allowed);
    const { grants: [grant] } = await listAccess({ principal: "user:ann" });
    assert.deepEqual([grant?.role, grant?.subject], ["admin", "*"]);
    const unknown = await failure(checkAccess({ permission: "workloads.fly" }));
    assert.equal(unknown.code, Code.InvalidArgument);
  } finally {
    await platform.close();
  }
});
