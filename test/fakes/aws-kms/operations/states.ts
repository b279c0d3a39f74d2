import { invalidState } from "../failure.ts";
import { keyToManage, refuseStates } from "../resolve.ts";
import { changeLife, DAY_MS, keyState } from "../state.ts";
import { type Operations, seconds } from "./operation.ts";

export const stateOperations: Operations = {
  EnableKey: (kms, input) => {
    const key = keyToManage(kms, input, "kms:EnableKey");
    refuseStates(kms, key, ["PendingDeletion", "PendingImport"]);
    changeLife(kms, key, "Enabled");
    return {};
  },

  DisableKey: (kms, input) => {
    const key = keyToManage(kms, input, "kms:DisableKey");
    refuseStates(kms, key, ["PendingDeletion", "PendingImport"]);
    changeLife(kms, key, "Disabled");
    return {};
  },

  ScheduleKeyDeletion: (kms, input) => {
    const key = keyToManage(kms, input, "kms:ScheduleKeyDeletion");
    const days = input.whole("PendingWindowInDays", { min: 7, max: 30 }) ?? 30;
    refuseStates(kms, key, ["PendingDeletion"]);
    key.deletionMs = kms.now() + days * DAY_MS;
    changeLife(kms, key, "PendingDeletion");
    return {
      KeyId: key.arn,
      DeletionDate: seconds(key.deletionMs),
      KeyState: "PendingDeletion",
      PendingWindowInDays: days,
    };
  },

  CancelKeyDeletion: (kms, input) => {
    const key = keyToManage(kms, input, "kms:CancelKeyDeletion");
    if (keyState(key, kms.now()) !== "PendingDeletion") throw invalidState(`${key.arn} is not pending deletion.`);
    delete key.deletionMs;
    changeLife(kms, key, "Disabled");
    return { KeyId: key.arn };
  },
};
