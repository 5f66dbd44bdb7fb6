import type { Routes } from "../page.ts";
import { environment } from "./environment.tsx";
import { environments } from "./environments.tsx";
import { overview } from "./overview.tsx";
import { workload } from "./workload.tsx";

/** Every page. */
export const ROUTES: Routes = {
  "/": overview,
  "/environments": environments,
  "/environments/:environment": environment,
  "/environments/:environment/workloads/:workload": workload,
};
