import type { AlgorithmName } from "./algorithms.ts";
import type { NativeRef } from "./records.ts";
import type { ObservedClass } from "./states.ts";

/** `inv_` + UUIDv7: the place of a provider's key in the inventory, the same as long as it is seen. */
export type InventoryId = `inv_${string}`;

/** A key that a provider listed, whoever made it. Unsealed: nothing that is written here allows anything. */
export type InventoryEntry = {
  readonly id: InventoryId;
  readonly providerUid: string;
  readonly nativeRef: NativeRef;
  readonly algorithm: AlgorithmName | null;
  readonly observed: ObservedClass;
  /** The service's own word. */
  readonly nativeState: string;
  /** The marker that a gateway gave it; null for keys of others. */
  readonly marker: string | null;
  readonly createTime: number | null;
  readonly destroyTime: number | null;
  readonly lastSeenTime: number;
};

export type InventoryPage = {
  readonly limit: number;
  /** Entries after this one, in the order in which they were first seen. */
  readonly after?: InventoryId;
  readonly providerUid?: string;
  /** Keys that carry a marker, or those that do not. */
  readonly marked?: boolean;
};
