import type { AlgorithmName } from "#core/algorithms.ts";
import type { CustodyKind } from "#core/custody.ts";
import type { Purpose } from "#core/purposes.ts";

/** What a caller may say of custody; absent members follow the route. */
export type CustodyRequest = {
  readonly kind: CustodyKind;
  /** For native custody: the one provider, or nobody. */
  readonly holders?: readonly string[];
  readonly minimum?: number;
  readonly threshold?: number;
  readonly dedicated?: boolean;
};

export type Wish = {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly algorithm: AlgorithmName | undefined;
  readonly custody: CustodyRequest | undefined;
  /** Its material will come from outside: whoever holds it must take that. */
  readonly imports?: boolean;
  /** It may leave later, wrapped: whoever holds a native key must be able to give it. */
  readonly extractable?: boolean;
};
