/** The dashboard: read-only pages over the API, for the all-in-one and for a process of their own. */
export { createDashboard, type Dashboard, type DashboardOptions } from "./app.tsx";
export type { ConnectAs, Viewer, ViewerClient } from "./viewer.ts";
