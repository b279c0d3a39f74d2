import { invalidMember, notFound } from "../failure.ts";
import { type Input, required } from "../input.ts";
import { pageOf } from "../paging.ts";
import { checkPolicy } from "../policy.ts";
import { keyToManage } from "../resolve.ts";
import type { Operations } from "./operation.ts";

export const policyOperations: Operations = {
  PutKeyPolicy: (kms, input) => {
    const key = keyToManage(kms, input, "kms:PutKeyPolicy");
    checkPolicyName(input);
    const text = required(input.text("Policy", { min: 1, max: 131_072 }), "Policy");
    checkPolicy(kms, text, { bypassLockout: input.flag("BypassPolicyLockoutSafetyCheck") });
    key.policy.set(text, { nowMs: kms.now(), delayMs: kms.propagationMs });
    return {};
  },

  GetKeyPolicy: (kms, input) => {
    const key = keyToManage(kms, input, "kms:GetKeyPolicy");
    checkPolicyName(input);
    return { Policy: key.policy.seen(kms.now()), PolicyName: "default" };
  },

  ListKeyPolicies: (kms, input) => {
    keyToManage(kms, input, "kms:ListKeyPolicies");
    const { items, tail } = pageOf(["default"], input, { fallback: 100, max: 1000, idOf: (name) => name });
    return { PolicyNames: items, ...tail };
  },
};

const checkPolicyName = (input: Input): void => {
  const name = input.text("PolicyName", { min: 1, max: 128 }) ?? "default";
  if (!/^\w+$/.test(name))
    throw invalidMember("policyName", "Member must satisfy regular expression pattern: [\\w]+", name);
  if (name !== "default") throw notFound(`No such policy exists`);
};
