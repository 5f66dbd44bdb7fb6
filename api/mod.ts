/** The API: its doors, and the whole platform in one process. */
export { type AllInOne, startAllInOne } from "./all_in_one.ts";
export type { AllInOneConfig } from "./config.ts";
export { FrameGuard } from "./grpc/frame_guard.ts";
export { GuardedSocket } from "./grpc/guarded_socket.ts";
export { type Door, serveGrpc } from "./grpc/serve_grpc.ts";
export { Peers } from "./connections/peers.ts";
export { type Route, route } from "./route.ts";
export { serveWeb } from "./web/serve_web.ts";
