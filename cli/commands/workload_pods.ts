import type { ListPodsResponseJson } from "@mpc/proto";
import type { CommandContext } from "../context.ts";
import { EXIT } from "../exit_codes.ts";
import { callJson } from "../json_client.ts";
import { workloadName } from "../names.ts";
import { POD_COLUMNS } from "../output/columns.ts";
import { printJsonList } from "../output/print_json.ts";

const METHOD = "mpc.v1.WorkloadService/ListPods";

/** `mpctl workload pods` */
export async function run(context: CommandContext, workload: string): Promise<number> {
  const parent = workloadName(workload, context.config);
  const { pods = [] } = await callJson<ListPodsResponseJson>(context, METHOD, { parent });
  await printJsonList(context, POD_COLUMNS, pods, "No pods");
  return EXIT.OK;
}
