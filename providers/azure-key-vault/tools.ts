import type { Clock, Scheduler } from "#core/clock.ts";
import type { Capabilities } from "#core/provider.ts";
import type { KeyVaultClient } from "./client.ts";

/** What the administration of keys works with. */
export type Tools = {
  readonly data: KeyVaultClient;
  /** With the credentials of the control plane; the same one where they do not differ. */
  readonly control: KeyVaultClient;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
};

/** What the making and the removal of keys works with. */
export type KeyTools = Tools & {
  /** Whether new keys are of HSM types. */
  readonly hardwareProtected: boolean;
  readonly capabilities: Capabilities;
};
