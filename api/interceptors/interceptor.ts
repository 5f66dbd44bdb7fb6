import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import type { HandlerContext, MethodImplSpec } from "@connectrpc/connect";
import type { Route } from "../route.ts";

/** What runs around every call, the same at both doors. */
export interface Interceptor {
  /** Before the call; throws to refuse it. */
  before?(context: HandlerContext): void;
  /** The error that a failed call is told. */
  failed?(error: unknown, context: HandlerContext): unknown;
  /** After the call, however it ended. */
  after?(context: HandlerContext, error: unknown, startTime: number): void;
}

type Unary = Extract<MethodImplSpec<DescMessage, DescMessage>, { kind: "unary" }>["impl"];
type Streaming = Extract<MethodImplSpec, { kind: "server_streaming" }>["impl"];

/** Wraps a route's methods; the first interceptor is the outermost. */
export function intercept(route: Route, interceptors: readonly Interceptor[]): Route {
  const implementation: Record<string, unknown> = {};
  for (const method of route.service.methods) {
    const bare = Reflect.get(route.implementation, method.localName);
    if (typeof bare === "function") {
      implementation[method.localName] = wrap(method, bare, interceptors);
    }
  }
  return { ...route, implementation: implementation as Route["implementation"] };
}

function wrap(
  method: DescMethod,
  bare: (...args: never[]) => unknown,
  interceptors: readonly Interceptor[],
): Unary | Streaming {
  const before = (context: HandlerContext) => {
    for (const interceptor of interceptors) interceptor.before?.(context);
  };
  const failed = (error: unknown, context: HandlerContext) =>
    interceptors.reduceRight((found, i) => i.failed ? i.failed(found, context) : found, error);
  const after = (context: HandlerContext, error: unknown, startTime: number) => {
    for (const interceptor of interceptors) interceptor.after?.(context, error, startTime);
  };
  if (method.methodKind === "unary") {
    const implementation = bare as Unary;
    return async (request, context) => {
      const startTime = performance.now();
      let error: unknown;
      try {
        before(context);
        return await implementation(request, context);
      } catch (thrown) {
        error = failed(thrown, context);
        throw error;
      } finally {
        after(context, error, startTime);
      }
    };
  }
  const implementation = bare as Streaming;
  return async function* (request, context) {
    const startTime = performance.now();
    let error: unknown;
    try {
      before(context);
      yield* implementation(request, context);
    } catch (thrown) {
      error = failed(thrown, context);
      throw error;
    } finally {
      after(context, error, startTime);
    }
  };
}
