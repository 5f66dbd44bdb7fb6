import type { DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Implementation } from "@mpc/process";

/** One service and its implementation; both doors serve the same list of them. */
export interface Route<Service extends DescService = DescService> {
  readonly service: Service;
  readonly implementation: Partial<ServiceImpl<Service>>;
}

/** Pairs a service with its implementation, checked by type. */
export function route<Service extends DescService>(
  service: Service,
  implementation: Implementation<Service>,
): Route {
  return { service, implementation: implementation as Route["implementation"] };
}
