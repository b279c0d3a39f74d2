import { ProviderError } from "#core/failures.ts";

/** What a provider must have that declares the operation in its rows. */
export function abilityOf<T>(ability: T | undefined, operation: string): T {
  if (ability !== undefined) return ability;
  throw new ProviderError({ failure: "INTERNAL", detail: `it declares ${operation} and does not have it` });
}
