/** Generated from the definitions by `deno task bundle:workflows`; do not edit. */
import type { OperationKind } from "@mpc/domain";
import type { WorkflowStep } from "./workflow_step.ts";

/** The steps of every kind. A change here changes what running workflows replay. */
export const STEP_LISTS: Readonly<Record<OperationKind, readonly WorkflowStep[]>> = {
  "environment.create": [
    {
      "name": "create_namespace",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 70000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    },
    {
      "name": "apply_policies",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 40000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    }
  ],
  "environment.update": [
    {
      "name": "apply_namespace",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 40000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    },
    {
      "name": "apply_policies",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 40000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    }
  ],
  "environment.delete": [
    {
      "name": "stop_workloads",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    },
    {
      "name": "delete_workloads",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    },
    {
      "name": "delete_namespace",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 40000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    },
    {
      "name": "await_namespace_gone",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    }
  ],
  "environment.abandon": [
    {
      "name": "stop_workloads",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    },
    {
      "name": "record_orphans",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 25000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 100,
      "maxBackoffMs": 5000
    }
  ],
  "workload.deploy": [
    {
      "name": "apply_workload",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 70000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    },
    {
      "name": "await_rollout",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 3610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    },
    {
      "name": "record_revision",
      "onCancel": "undo",
      "undoable": true,
      "startToCloseMs": 25000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 100,
      "maxBackoffMs": 5000
    }
  ],
  "workload.delete": [
    {
      "name": "delete_workload",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 40000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    },
    {
      "name": "await_workload_gone",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    },
    {
      "name": "forget_revisions",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 25000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 100,
      "maxBackoffMs": 5000
    }
  ],
  "workload.abandon": [
    {
      "name": "record_orphans",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 25000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 100,
      "maxBackoffMs": 5000
    }
  ],
  "platform.sweep": [
    {
      "name": "delete_objects",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    },
    {
      "name": "await_objects_gone",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 610000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 10000
    }
  ],
  "platform.claim": [
    {
      "name": "claim_cluster",
      "onCancel": "keep",
      "undoable": false,
      "startToCloseMs": 40000,
      "heartbeatMs": 10000,
      "initialBackoffMs": 500,
      "maxBackoffMs": 15000
    }
  ]
};
