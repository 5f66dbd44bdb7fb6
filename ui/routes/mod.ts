import type { Routes } from "../page.ts";
import { audit } from "./audit.tsx";
import { environment } from "./environment.tsx";
import { environments } from "./environments.tsx";
import { operation } from "./operation.tsx";
import { operations } from "./operations.tsx";
import { overview } from "./overview.tsx";
import { status } from "./status.tsx";
import { workload } from "./workload.tsx";

/** Every page. */
export const ROUTES: Routes = {
  "/": overview,
  "/environments": environments,
  "/environments/:environment": environment,
  "/environments/:environment/workloads/:workload": workload,
  "/operations": operations,
  "/operations/:operation": operation,
  "/audit": audit,
  "/status": status,
};
